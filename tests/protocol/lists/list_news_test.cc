#include "protocol/lists/list_news.h"

#include <vector>

#include "support/catch.h"

using namespace collet;

TEST_CASE("a burst of changes is told twice: at once, and when the interval is over") {
  loop::Loop loop;
  std::vector<unsigned> told;
  protocol::ListNews news(loop, 20, [&](unsigned changed) {
    told.push_back(changed);
    if (told.size() == 3) loop.stop();
  });
  news.note(1);
  CHECK(told == std::vector<unsigned>{1});
  news.note(1);
  news.note(1);
  CHECK(told == std::vector<unsigned>{1});
  news.note(2);  // another list has not been told of yet
  CHECK(told == std::vector<unsigned>{1, 2});
  loop.run();
  CHECK(told == std::vector<unsigned>{1, 2, 1});
}
