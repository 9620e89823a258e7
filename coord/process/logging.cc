#include "coord/process/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <time.h>

#include <memory>

#include "absl/strings/escaping.h"

namespace drover::process {
namespace {

constexpr const char* kNames[] = {"debug", "info", "warning", "error", "off"};
constexpr spdlog::level::level_enum kSpdlogLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                       spdlog::level::err, spdlog::level::off};

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  return kSpdlogLevels[static_cast<int>(level)];
}

// Whole lines to stderr; the line is ours, spdlog adds nothing.
spdlog::logger& Sink() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("drover", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *logger;
}

bool NeedsQuotes(absl::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7f') return true;
  }
  return false;
}

std::string UtcNow() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const std::size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  char micros[32];
  snprintf(micros, sizeof(micros), ".%06ldZ", now.tv_nsec / 1000);
  return absl::StrCat(absl::string_view(text, size), micros);
}

}  // namespace

absl::Status SetLogLevel(absl::string_view name) {
  for (int i = 0; i < 5; ++i) {
    if (name == kNames[i]) {
      SetLogLevel(static_cast<LogLevel>(i));
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is not a log level: debug, info, warning, error or off"));
}

void SetLogLevel(LogLevel level) {
  Sink().set_level(SpdlogLevel(level));
}

bool LogEnabled(LogLevel level) {
  return level != LogLevel::kOff && Sink().should_log(SpdlogLevel(level));
}

std::string FormatLogLine(absl::string_view time, LogLevel level, absl::string_view component, absl::string_view message,
                          LogFields fields) {
  std::string line = absl::StrCat(time, " ", kNames[static_cast<int>(level)], " ", component, " ", absl::Utf8SafeCEscape(message));
  for (const LogField& field : fields) {
    if (NeedsQuotes(field.value)) {
      absl::StrAppend(&line, " ", field.key, "=\"", absl::Utf8SafeCEscape(field.value), "\"");
    } else {
      absl::StrAppend(&line, " ", field.key, "=", field.value);
    }
  }
  return line;
}

void Log(LogLevel level, absl::string_view component, absl::string_view message, LogFields fields) {
  if (!LogEnabled(level)) return;
  const std::string line = FormatLogLine(UtcNow(), level, component, message, fields);
  Sink().log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace drover::process
