#include "plugin/load/image.h"

namespace collet::plugin {
namespace {

class LibraryImage final : public Image {
 public:
  explicit LibraryImage(PrivateFile file) : path_(file.path()), file_(std::move(file)) {}

  Result<void> open() override {
    auto library = Library::open(std::move(file_));
    if (!library) return library.failure();
    library_ = std::move(*library);
    return {};
  }
  const PluginTable& table() const override { return library_->table(); }
  std::string info() const override { return library_ ? library_->table().info : std::string(); }
  std::int32_t create(const collet_host& host, const collet_create_params& params, void** self) override {
    return table().functions.create(&host, &params, self);
  }
  const void* get_extension(std::string_view id) override {
    const auto function = table().functions.get_extension;
    return function ? function(id.data(), id.size()) : nullptr;
  }
  bool close() override { return library_->close(); }
  void pin() override { library_->pin(); }
  const std::string& path() const override { return path_; }

 private:
  const std::string path_;
  PrivateFile file_;  // until open()
  std::unique_ptr<Library> library_;
};

}  // namespace

std::unique_ptr<Image> image_of_library(PrivateFile file) {
  return std::make_unique<LibraryImage>(std::move(file));
}

}  // namespace collet::plugin
