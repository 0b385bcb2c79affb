// A text that is put into a file of somebody else's, so that it can be taken out again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "foreign/json_edit.h"

namespace collet::foreign {

struct FileChange {
  std::filesystem::path file;    // no link
  std::filesystem::path backup;  // empty: there was no file
  std::uint64_t at = 0;          // where the text begins
  std::string inserted;
  MemberPlace place;  // of the server that it is; without a key it is none
  // The server as the whole of such a file, to know it again by; empty: it is known by its name.
  std::string document = {};
  std::uint64_t removed = 0;  // how many bytes the text takes the place of
};

// Says why the file, as it would be, is no good.
using Check = std::function<Result<void>(const std::filesystem::path& file)>;

// Chooses the name of `backup`, one that is free, if there is a file. Fails if that is no regular one.
Result<void> prepare(FileChange& change);

// Writes the file anew beside itself, has it checked, keeps what was there as `backup`, and puts the new one in its
// place at once, with the owner and mode of the old one. Prepares the change unless that is done. Any size is fine.
// Fails, and changes nothing, if somebody else has changed the file meanwhile.
Result<void> apply(FileChange& change, const Check& check);

enum class TakenBack : std::uint8_t {
  restored,  // the file is what it was, byte for byte, or gone
  cut_out,   // others have changed it since: the text alone was taken out, and the backup stays
  missing,   // the text is not there any more, or no longer as it was
  gone,      // the file is not there any more
};
Result<TakenBack> take_back(const FileChange& change);

// Whether a prepared change was made by a process that was killed; it may have come to nothing. Removes what that has
// left beside the file.
bool settle(const FileChange& change);

}  // namespace collet::foreign
