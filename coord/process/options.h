// Flags, environment and configuration file of every Drover program, in one mechanism.
//
//   drover::process::OptionSet options("drover-coord", "A node of the coordination core.");
//   options.Number("--id", &id, "This node's number in the cluster");
//   options.Address("--listen", &listen, "Address to serve on");
//   if (std::optional<int> code = options.Parse(argc, argv)) return *code;
//
// An option's value comes from the first of: its flag; the environment variable DROVER_ + its long name in upper case with `_`
// (--initial-cluster: DROVER_INITIAL_CLUSTER); the key of its long name without dashes in the file given by --config or
// DROVER_CONFIG (see config_file.h); the target's value before Parse. An empty
// variable is one that is not set. The help shows the default. Options of a command (drover submit --priority) are flags only: a
// program run as a task finds DROVER_ATTEMPT and the like in its environment, and a `drover` started there must not take them for
// its own.
//
// Repeatable options take the flag several times, or commas in the environment variable; addresses take commas everywhere.
// --help, --version and --config are there by themselves. Whatever is wrong is one line on stderr that says what to do, and exit
// code 2. Threads: one.
#ifndef DROVER_COORD_PROCESS_OPTIONS_H_
#define DROVER_COORD_PROCESS_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/host_port.h"
#include "coord/base/time.h"

namespace drover::process {

inline constexpr int kUsageExitCode = 2;

// ---- values ----

inline constexpr base::Duration kDurationMax = std::chrono::hours(24 * 365 * 10);
// "250ms", "6s", "2m", "1h", "1h30m"; "0". Not negative, at most 10 years; no bare numbers but 0.
absl::StatusOr<base::Duration> ParseDuration(absl::string_view text);
// The shortest form ParseDuration reads: "1m30s".
std::string FormatDuration(base::Duration duration);

using base::HostPort;
using base::ParseHostPort;
// "a:1,b:2": at least one, no empty parts, each as above.
absl::StatusOr<std::vector<std::string>> ParseAddressList(absl::string_view text);
// "key=value"; the key is not empty, the value may be and may hold '='.
absl::StatusOr<std::pair<std::string, std::string>> ParseKeyValue(absl::string_view text);

// OK for 127.0.0.0/8, ::1 and localhost; any other address is FAILED_PRECONDITION unless `insecure`. The message names --insecure.
absl::Status RequireLoopback(absl::string_view address, bool insecure);

// ---- options ----

class OptionSet {
 public:
  OptionSet(std::string program, std::string summary);
  ~OptionSet();
  OptionSet(const OptionSet&) = delete;
  OptionSet& operator=(const OptionSet&) = delete;

  // `names`: "--listen", or with a short one "-o,--output", or a short one alone "-f". Targets must outlive Parse; each holds the
  // default before and is written only if Parse succeeds. A value that does not fit is a usage error that says what does.
  void Text(const std::string& names, std::string* target, const std::string& help);
  void Texts(const std::string& names, std::vector<std::string>* target,
             const std::string& help);  // repeatable, no commas in flags
  void Choice(const std::string& names, std::string* target, std::vector<std::string> allowed, const std::string& help);
  void Flag(const std::string& names, bool* target, const std::string& help);  // environment and file: true or false
  void Number(const std::string& names, std::uint64_t* target, const std::string& help, std::uint64_t min = 0,
              std::uint64_t max = UINT64_MAX);
  void Number(const std::string& names, std::uint32_t* target, const std::string& help, std::uint32_t min = 0,
              std::uint32_t max = UINT32_MAX);
  void Number(const std::string& names, std::int64_t* target, const std::string& help, std::int64_t min = INT64_MIN,
              std::int64_t max = INT64_MAX);
  void Number(const std::string& names, int* target, const std::string& help, int min = INT32_MIN, int max = INT32_MAX);
  void Time(const std::string& names, base::Duration* target, const std::string& help, base::Duration min = base::Duration(0),
            base::Duration max = kDurationMax);
  void Address(const std::string& names, std::string* target, const std::string& help);                 // host:port
  void Addresses(const std::string& names, std::vector<std::string>* target, const std::string& help);  // host:port,...
  void Pairs(const std::string& names, std::map<std::string, std::string>* target,
             const std::string& help);  // k=v, repeatable; a key once
  // A value with rules of its own: `set` gets it and says what is wrong. Called during Parse; `shown_default` is for the help.
  void Custom(const std::string& names, std::function<absl::Status(const std::string&)> set, const std::string& help,
              const std::string& shown_default = "");

  // Positional ones, in the order added; `name` is for the help. A list takes what is left, at least `min`.
  void Argument(const std::string& name, std::string* target, const std::string& help, bool required = true);
  void Arguments(const std::string& name, std::vector<std::string>* target, const std::string& help, std::size_t min = 1);
  // All that follows `--`, untouched. Without this, `--` is a usage error.
  void Rest(const std::string& name, std::vector<std::string>* target, const std::string& help, bool required = true);

  // `drover submit`, `drover tree get`: a command with options of its own, owned by this set. A set with commands must be given
  // one. Options of the sets above are understood after the command, too. A set in which a command was chosen says so by chosen().
  OptionSet& Command(const std::string& name, const std::string& summary);
  [[nodiscard]] bool chosen() const;
  // A set with commands may also be given none: then chosen() is true of it and of none of them.
  void CommandOptional();
  // The names of the commands below those named ({}: of this set); none: there are no commands there.
  [[nodiscard]] std::vector<std::string> CommandsBelow(const std::vector<std::string>& names) const;
  // The option (long name with dashes, or short) was given by flag, environment or file.
  [[nodiscard]] bool given(const std::string& name) const;

  // Shown at the end of the help.
  void Footer(std::string text);

  // nullopt: go on. Else end the process with that code: 0 after --help or --version, 2 after a usage error.
  [[nodiscard]] std::optional<int> Parse(int argc, const char* const* argv);

  // What Parse stands on, for tests: `environment` answers for a variable, help goes to `out`, and errors are the status's message.
  // OK and `*done` set: help or version was printed. INVALID_ARGUMENT: usage.
  absl::Status ParseFrom(const std::vector<std::string>& args,
                         const std::function<std::optional<std::string>(const std::string&)>& environment, std::ostream& out,
                         bool* done);

  // After a usage error: where to read on, "see drover submit --help".
  [[nodiscard]] std::string HelpHint() const;

  // Usage error found after Parse (options that exclude each other): prints the line, returns 2.
  [[nodiscard]] int Refuse(absl::string_view what) const;

 private:
  class Impl;
  explicit OptionSet(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// What all three servers take.
struct ServerFlags {
  std::string listen;
  std::string advertise;  // empty: what was bound
  std::string http;       // empty: no HTTP port
  bool insecure = false;
  std::string log_level = "info";

  // Adds --listen (default_listen), --advertise, --http, --insecure and --log-level.
  void AddTo(OptionSet* options, const std::string& default_listen);
  // After Parse: listen and http must be loopback unless insecure.
  [[nodiscard]] absl::Status Check() const;
};

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_OPTIONS_H_
