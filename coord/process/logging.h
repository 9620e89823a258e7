// Structured logs: one line per event on stderr,
//   2026-01-31T12:00:00.123456Z info coord.server became leader node=1 term=5
// that is: time in UTC, level, component, message, then key=value fields; a value with blanks, quotes, '=' or control characters is
// quoted and escaped, so that a line is always one line and fields can be cut out by machines.
//
//   const process::Logger log("worker.agent");
//   log.Info("task started", {{"session", id}, {"task", task}, {"fence", fence}});
//
// Never per operation on a hot path. Threads: any; lines are whole.
#ifndef DROVER_COORD_PROCESS_LOGGING_H_
#define DROVER_COORD_PROCESS_LOGGING_H_

#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "coord/base/strong.h"

namespace drover::process {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

// "debug", "info", "warning", "error", "off".
absl::Status SetLogLevel(absl::string_view name);
void SetLogLevel(LogLevel level);
[[nodiscard]] bool LogEnabled(LogLevel level);

// One key=value. Built from strings, numbers, bools, statuses and the framework's strong types.
struct LogField {
  absl::string_view key;
  std::string value;

  LogField(absl::string_view k, absl::string_view v) : key(k), value(v) {}
  LogField(absl::string_view k, const char* v) : key(k), value(v) {}
  LogField(absl::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(absl::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  // Its payloads are for programs.
  LogField(absl::string_view k, const absl::Status& v) : key(k), value(v.ToString(absl::StatusToStringMode::kWithNoExtraData)) {}
  template <typename Number, std::enable_if_t<std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>, int> = 0>
  LogField(absl::string_view k, Number v) : key(k), value(absl::StrCat(v)) {}
  template <typename Tag, typename Rep>
  LogField(absl::string_view k, const base::Strong<Tag, Rep>& v) : key(k), value(absl::StrCat(v.value)) {}
};
using LogFields = std::initializer_list<LogField>;

void Log(LogLevel level, absl::string_view component, absl::string_view message, LogFields fields = {});

// A component's name, to be copied freely.
class Logger {
 public:
  explicit Logger(std::string component) : component_(std::move(component)) {}
  void Debug(absl::string_view message, LogFields fields = {}) const { Log(LogLevel::kDebug, component_, message, fields); }
  void Info(absl::string_view message, LogFields fields = {}) const { Log(LogLevel::kInfo, component_, message, fields); }
  void Warning(absl::string_view message, LogFields fields = {}) const { Log(LogLevel::kWarning, component_, message, fields); }
  void Error(absl::string_view message, LogFields fields = {}) const { Log(LogLevel::kError, component_, message, fields); }

 private:
  std::string component_;
};

// The line without its newline, as Log writes it: for tests.
std::string FormatLogLine(absl::string_view time, LogLevel level, absl::string_view component, absl::string_view message,
                          LogFields fields);

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_LOGGING_H_
