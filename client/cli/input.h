// What the command reads: a file or standard input, within a bound.
#ifndef DROVER_CLIENT_CLI_INPUT_H_
#define DROVER_CLIENT_CLI_INPUT_H_

#include <cstddef>
#include <fstream>
#include <istream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::cli {

// All of `file` ("-": standard input). INVALID_ARGUMENT if it cannot be opened or is a directory; RESOURCE_EXHAUSTED, naming `what`
// and the bound, if there is more.
[[nodiscard]] absl::StatusOr<std::string> ReadInput(const std::string& file, std::size_t bytes_max, absl::string_view what);

// A file, or standard input ("-"), to be read bit by bit.
class InputFile {
 public:
  // INVALID_ARGUMENT if it cannot be opened or is a directory.
  [[nodiscard]] static absl::StatusOr<InputFile> Open(const std::string& file);
  [[nodiscard]] std::istream& in() const;
  // DATA_LOSS, naming the file: the reading failed, which is not the end.
  [[nodiscard]] absl::Status status() const;

 private:
  InputFile(std::string file, std::unique_ptr<std::ifstream> stream) : file_(std::move(file)), stream_(std::move(stream)) {}
  std::string file_;
  std::unique_ptr<std::ifstream> stream_;  // null: standard input
};

// Its lines, one at a time; the last needs no newline.
class LineReader {
 public:
  [[nodiscard]] static absl::StatusOr<LineReader> Open(const std::string& file);
  // False at the end.
  bool Next(std::string* line);
  [[nodiscard]] absl::Status status() const { return input_.status(); }

 private:
  explicit LineReader(InputFile input) : input_(std::move(input)) {}
  InputFile input_;
};

// "64 MiB", "128 KiB", "5 bytes"
[[nodiscard]] std::string BytesText(std::size_t bytes);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_INPUT_H_
