#include "worker/talk/frame_form.h"

#include "worker/talk/frame.h"

namespace collet::worker {
void FrameForm::text(std::string& out, registry::CallKind, const plugin::content::Reading&,
                     std::string_view text) const {
  FieldWriter(out).number(Piece::text).text(text);
}

void FrameForm::json(std::string& out, std::string_view json) const {
  FieldWriter(out).number(Piece::json).text(json);
}

void FrameForm::blob(std::string& out, registry::CallKind, const plugin::content::Reading&, std::string_view type,
                     std::string_view mime, plugin::Blob blob) const {
  const auto offset = arena_.offset_of(blob.data.get());
  FieldWriter fields(out);
  fields.number(offset ? Piece::arena_blob : Piece::blob).text(type).text(mime);
  if (!offset) {
    fields.text(blob.view());
    return;
  }
  fields.number(*offset).number(static_cast<std::uint64_t>(blob.size));
  static_cast<void>(blob.data.release());  // the host says when it has been read
}

void FrameForm::field(std::string& out, std::string_view key, std::string_view json) const {
  FieldWriter(out).text(key).text(json);
}

// The host takes it apart again: it believes nobody.
void FrameForm::whole(registry::Ending& ending, std::string_view result) const {
  for (std::string* piece : {&ending.content, &ending.structured, &ending.meta, &ending.fields}) piece->clear();
  ending.is_error = false;
  FieldWriter(ending.content).number(Piece::whole).text(result);
}

}  // namespace collet::worker
