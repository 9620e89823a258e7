#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/store/file_objects.h"
#include "client/store/file_store.h"
#include "client/store/object_store.h"

namespace drover::store {
namespace {

// The absolute path of a file: URL.
absl::StatusOr<std::string> FilePath(absl::string_view url) {
  if (absl::StartsWith(url, "s3:")) {
    return absl::UnimplementedError(
        absl::StrCat("object store \"", url,
                     "\": s3: is not supported yet; use file:/absolute/path (a path that all hosts share, if there are several)"));
  }
  absl::string_view path = url;
  if (!absl::ConsumePrefix(&path, "file:")) {
    return absl::InvalidArgumentError(absl::StrCat("object store \"", url, "\" is not of the form file:/absolute/path"));
  }
  if (absl::StartsWith(path, "//")) path.remove_prefix(2);  // file:///path
  while (path.size() > 1 && absl::EndsWith(path, "/")) path.remove_suffix(1);
  if (path.size() < 2 || path[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("object store \"", url, "\" must name an absolute path that is not /: file:/absolute/path"));
  }
  return std::string(path);
}

}  // namespace

absl::Status CheckUrl(absl::string_view url) {
  return FilePath(url).status();
}

absl::StatusOr<std::unique_ptr<ObjectStore>> OpenStore(absl::string_view url, base::Executor* executor,
                                                       const OpenOptions& options) {
  auto path = FilePath(url);
  if (!path.ok()) return path.status();
  auto objects = FileObjects::Open(*path, options);
  if (!objects.ok())
    return absl::Status(objects.status().code(), absl::StrCat("object store ", url, ": ", objects.status().message()));
  return std::make_unique<FileStore>(*std::move(objects), executor);
}

}  // namespace drover::store
