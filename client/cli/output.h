// What the command prints: a table for people, JSON for programs, ids for scripts. Data goes to standard output, everything else to
// standard error; neither ever carries the other's.
#ifndef DROVER_CLIENT_CLI_OUTPUT_H_
#define DROVER_CLIENT_CLI_OUTPUT_H_

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace drover::cli {

// Keeps the order in which fields were added.
using Json = nlohmann::ordered_json;

enum class Format { kTable, kJson, kJsonl, kId };

// A number up to 2^53 as itself, a larger one as a string: most programs that read JSON know no larger one exactly.
[[nodiscard]] Json ExactNumber(std::uint64_t value);

// One thing that can be printed in any format.
struct Item {
  std::string id;
  Json json;
  std::vector<std::string> cells;  // of its row in a table
};

class Output {
 public:
  Output(Format format, std::ostream* out, std::ostream* err) : format_(format), out_(out), err_(err) {}

  [[nodiscard]] Format format() const { return format_; }
  [[nodiscard]] bool json() const { return format_ == Format::kJson || format_ == Format::kJsonl; }

  // One array, one object a line, or a table with aligned columns (its header even if there is no row).
  void List(const std::vector<std::string>& header, const std::vector<Item>& items);
  // One object, or one line of "name  value" for each cell.
  void One(const std::vector<std::string>& names, const Item& item);
  // One of an endless list: always a line of its own. The table's line is `text`.
  void Line(const std::string& text, const Item& item);
  // Bytes exactly as they are.
  void Raw(absl::string_view data);

  // The error as one line on standard error ("drover: ..."), or as {"error":{"code","message"}}; returns the exit code that goes
  // with the status, or `code`.
  int Fail(const absl::Status& status);
  int Fail(int code, const absl::Status& status);
  // Bytes exactly as they are, on standard error.
  void Aside(absl::string_view text);
  // A diagnostic that is no error. Nothing in JSON.
  void Note(absl::string_view text);

 private:
  const Format format_;
  std::ostream* const out_;
  std::ostream* const err_;
};

// Strings that are no UTF-8 are mended, never thrown at.
[[nodiscard]] std::string Dump(const Json& json);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_OUTPUT_H_
