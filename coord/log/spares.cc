#include "coord/log/spares.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/base/status.h"

namespace drover::coord::log {
namespace {

constexpr std::uint64_t kWriteBytes = 1 << 20;

}  // namespace

std::string SpareName(std::uint64_t number) {
  char name[40];
  std::snprintf(name, sizeof(name), "spare-%010llu.log", static_cast<unsigned long long>(number));
  return name;
}

bool IsSpareName(absl::string_view name) {
  return absl::StartsWith(name, "spare-") && absl::EndsWith(name, ".log");
}

void Spares::Adopt(const std::string& name) {
  Spare spare{.path = absl::StrCat(directory_, "/", name)};
  const auto size = [&]() -> absl::StatusOr<std::uint64_t> {
    DROVER_ASSIGN_OR_RETURN(spare.file, fs_->Open(spare.path, base::OpenMode::kReadWrite));
    return spare.file->Size();
  }();
  if (!size.ok() || !Wants(*size)) {
    (void)fs_->Remove(spare.path);
    return;
  }
  spare.bytes = *size;
  spares_.push_back(std::move(spare));
}

bool Spares::Wants(std::uint64_t bytes) const {
  return spares_.size() < limits_.files_max && bytes >= limits_.file_bytes_min && bytes <= limits_.file_bytes_max;
}

absl::Status Spares::Take(const std::string& path, std::uint64_t number, std::uint64_t bytes) {
  Spare spare{.path = absl::StrCat(directory_, "/", SpareName(number)), .bytes = bytes};
  DROVER_RETURN_IF_ERROR(fs_->Rename(path, spare.path));
  spares_.push_back(std::move(spare));
  return absl::OkStatus();
}

absl::Status Spares::Fill() {
  const auto spare = std::find_if(spares_.begin(), spares_.end(), [](const Spare& s) { return s.zeros < s.bytes; });
  if (spare == spares_.end()) return absl::OkStatus();
  absl::Status status = FillStep(&*spare);
  if (!status.ok()) {
    const std::string path = spare->path;
    spares_.erase(spare);
    (void)fs_->Remove(path);
  }
  return status;
}

absl::Status Spares::FillStep(Spare* spare) {
  if (spare->file == nullptr) {
    DROVER_ASSIGN_OR_RETURN(spare->file, fs_->Open(spare->path, base::OpenMode::kReadWrite));
  }
  const std::uint64_t end = std::min(spare->bytes, spare->zeros + limits_.step_bytes);
  const std::string zeros(std::min(end - spare->zeros, kWriteBytes), '\0');
  for (std::uint64_t at = spare->zeros; at < end;) {
    const absl::string_view part = absl::string_view(zeros).substr(0, std::min<std::uint64_t>(zeros.size(), end - at));
    DROVER_RETURN_IF_ERROR(spare->file->WriteAt(at, part));
    at += part.size();
  }
  DROVER_RETURN_IF_ERROR(spare->file->Sync());
  spare->zeros = end;
  return absl::OkStatus();
}

bool Spares::filled() const {
  return std::all_of(spares_.begin(), spares_.end(), [](const Spare& s) { return s.zeros == s.bytes; });
}

std::optional<Spares::Ready> Spares::Use() {
  if (spares_.empty() || spares_.front().zeros < spares_.front().bytes) return std::nullopt;
  Spare spare = std::move(spares_.front());
  spares_.pop_front();
  return Ready{.file = std::move(spare.file), .path = std::move(spare.path), .bytes = spare.bytes};
}

void Spares::Drop() {
  for (const Spare& spare : spares_) (void)fs_->Remove(spare.path);
  spares_.clear();
}

std::uint64_t Spares::bytes() const {
  std::uint64_t sum = 0;
  for (const Spare& spare : spares_) sum += spare.bytes;
  return sum;
}

}  // namespace drover::coord::log
