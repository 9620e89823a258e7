#include "client/cli/input.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace drover::cli {
namespace {

constexpr std::size_t kReadBytes = 1 << 16;

absl::Status ReadError(const std::string& file) {
  return absl::DataLossError(absl::StrCat("cannot read ", file == "-" ? "standard input" : file));
}

}  // namespace

absl::StatusOr<InputFile> InputFile::Open(const std::string& file) {
  if (file == "-") return InputFile(file, nullptr);
  // Opening a directory works; only reading it would fail, and say nothing of it.
  struct stat about = {};
  if (stat(file.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", file, ": it is a directory"));
  }
  auto stream = std::make_unique<std::ifstream>(file, std::ios::binary);
  if (!stream->is_open()) return absl::InvalidArgumentError(absl::StrCat("cannot open ", file, ": ", std::strerror(errno)));
  return InputFile(file, std::move(stream));
}

std::istream& InputFile::in() const {
  return stream_ == nullptr ? std::cin : *stream_;
}
absl::Status InputFile::status() const {
  return in().bad() ? ReadError(file_) : absl::OkStatus();
}

absl::StatusOr<std::string> ReadInput(const std::string& file, std::size_t bytes_max, absl::string_view what) {
  const absl::StatusOr<InputFile> input = InputFile::Open(file);
  if (!input.ok()) return input.status();
  std::istream& in = input->in();
  std::string data;
  std::string block(kReadBytes, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    data.append(block, 0, static_cast<std::size_t>(in.gcount()));
    if (data.size() > bytes_max) return absl::ResourceExhaustedError(absl::StrCat(what, " has at most ", BytesText(bytes_max)));
  }
  if (absl::Status s = input->status(); !s.ok()) return s;
  return data;
}

absl::StatusOr<LineReader> LineReader::Open(const std::string& file) {
  auto input = InputFile::Open(file);
  if (!input.ok()) return input.status();
  return LineReader(*std::move(input));
}

bool LineReader::Next(std::string* line) {
  return static_cast<bool>(std::getline(input_.in(), *line));
}

std::string BytesText(std::size_t bytes) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return absl::StrCat(bytes >> 20, " MiB");
  if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) return absl::StrCat(bytes >> 10, " KiB");
  return absl::StrCat(bytes, " bytes");
}

}  // namespace drover::cli
