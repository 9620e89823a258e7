#include "client/cli/app.h"

#include <unistd.h>

#include <iostream>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/cli/acl_text.h"
#include "client/cli/exit_code.h"
#include "client/cli/node_path.h"
#include "client/cli/tree_session.h"
#include "master/records/task_id.h"

namespace drover::cli {
namespace {

constexpr base::Duration kRequestTimeoutMin = std::chrono::milliseconds(1);
constexpr base::Duration kRequestTimeoutMax = std::chrono::hours(24);

std::chrono::milliseconds Ms(base::Duration duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration);
}

}  // namespace

std::optional<std::string> WrongName(const std::string& name) {
  if (records::IsName(name)) return std::nullopt;
  return absl::StrCat("NAME: \"", name, "\" will not do: ", records::kNameRule);
}

void Globals::AddTo(process::OptionSet* options) {
  options->Addresses("--coord", &coord, "Coordination nodes");
  options->Addresses("--master", &masters, "Masters to ask, instead of those found in the tree");
  options->Text("--pool", &pool, "Pool of workers");
  options->Choice("-o,--output", &format, {"table", "json", "jsonl", "id"}, "How to print");
  options->Time("--request-timeout", &request_timeout, "How long to try until core and masters answer", kRequestTimeoutMin,
                kRequestTimeoutMax);
  options->Texts(
      "--auth", &auth,
      "Who you are to the core's access control lists: digest:USER:PASSWORD (DROVER_AUTH keeps it off the command line)");
}

std::optional<Format> ParseFormat(const std::string& name) {
  static const std::map<std::string, Format> kFormats = {
      {"table", Format::kTable}, {"json", Format::kJson}, {"jsonl", Format::kJsonl}, {"id", Format::kId}};
  const auto found = kFormats.find(name);
  if (found == kFormats.end()) return std::nullopt;
  return found->second;
}

Format GuessFormat(const std::vector<std::string>& args, const Environment& environment) {
  for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    absl::string_view value;
    if ((args[i] == "-o" || args[i] == "--output") && i + 1 < args.size()) {
      value = args[i + 1];
    } else if (absl::StartsWith(args[i], "--output=")) {
      value = absl::string_view(args[i]).substr(9);
    } else if (absl::StartsWith(args[i], "-o") && !absl::StartsWith(args[i], "--")) {
      value = absl::string_view(args[i]).substr(2);
    } else {
      continue;
    }
    return ParseFormat(std::string(value)).value_or(Format::kTable);
  }
  return ParseFormat(environment("DROVER_OUTPUT").value_or("")).value_or(Format::kTable);
}

absl::StatusOr<std::unique_ptr<client::TaskClient>> MakeTasks(const Globals& globals) {
  client::ClientOptions options;
  options.coord = globals.coord;
  options.masters = globals.masters;
  options.pool = globals.pool;
  options.request_timeout = Ms(globals.request_timeout);
  return client::TaskClient::Create(std::move(options));
}

coord::BlockingOptions App::CoreOptions() const {
  coord::BlockingOptions options;
  options.session.endpoints = globals.coord;
  options.session.first_endpoint = static_cast<std::size_t>(getpid());
  options.session.name = absl::StrCat("drover ", getpid());
  options.call_timeout = globals.request_timeout;
  options.auth = credentials;
  return options;
}

absl::StatusOr<std::unique_ptr<coord::BlockingClient>> App::Core(base::Duration session_timeout) const {
  coord::BlockingOptions options = CoreOptions();
  options.session.timeout = session_timeout;
  auto client = coord::BlockingClient::Connect(std::move(options));
  if (!client.ok()) return Explained(client.status());
  return client;
}

absl::Status App::Explained(const absl::Status& why) const {
  return absl::IsUnavailable(why) ? Silent(why) : why;
}

std::string App::Path(const std::string& typed) const {
  return session == nullptr ? typed : ResolvePath(session->at(), typed);
}
std::string App::PathOrHere(const std::string& typed) const {
  return session == nullptr && typed == kHere ? "/" : Path(typed);
}

absl::Status App::Silent(const absl::Status& why) const {
  if (!absl::StartsWith(why.message(), "no coordination node answered")) return why;  // some have, and it says which and what
  return absl::UnavailableError(absl::StrCat("no coordination node answered at ", absl::StrJoin(globals.coord, ", "), " within ",
                                             process::FormatDuration(globals.request_timeout), ": ",
                                             absl::StripPrefix(why.message(), "no coordination node answered: ")));
}

int Main(const std::vector<std::string>& args, const Environment& environment, std::ostream& out, std::ostream& err) {
  process::OptionSet root("drover", "Runs tasks on a cluster of workers, and shows what it does.");
  Globals globals;
  globals.AddTo(&root);
  Commands commands;
  AddDevCommand(&root, &commands);
  AddRunCommand(&root, &commands);
  AddSubmitCommand(&root, &commands);
  AddTaskCommands(&root, &commands);
  AddCheckCommand(&root, &commands);
  AddQueueCommands(&root, &commands);
  AddScheduleCommands(&root, &commands);
  AddMemberCommands(&root, &commands);
  AddTreeCommands(&root, &commands, &out == &std::cout && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1);
  AddClusterCommands(&root, &commands);
  AddVersionCommand(&root, &commands);
  root.Footer(
      "Exit codes: 0 ok, 1 other error, 2 usage, 3 a task failed or was lost, 4 cancelled, 5 timed out waiting, 6 not found,\n"
      "7 core or master unavailable, 8 refused (limit or conflict).");

  bool done = false;
  if (absl::Status s = root.ParseFrom(args, environment, out, &done); !s.ok()) {
    return Output(GuessFormat(args, environment), &out, &err)
        .Fail(kUsage, absl::InvalidArgumentError(absl::StrCat(s.message(), " (", root.HelpHint(), ")")));
  }
  if (done) return kOk;

  Output output(*ParseFormat(globals.format), &out, &err);
  absl::StatusOr<std::vector<coord::Credential>> credentials = ParseCredentials(globals.auth);
  if (!credentials.ok()) {
    return output.Fail(kUsage, absl::InvalidArgumentError(absl::StrCat("--auth: ", credentials.status().message())));
  }
  const App::TasksMaker make_tasks = MakeTasks;
  for (const Command& command : commands) {
    if (!command.options->chosen()) continue;
    int code = command.run(App{globals, output, make_tasks, *credentials});
    out.flush();
    if (code == kOk && !out.good()) code = output.Fail(absl::DataLossError("cannot write to standard output"));
    return code;
  }
  return output.Fail(kUsage, absl::InvalidArgumentError("give a command; drover --help lists them"));
}

}  // namespace drover::cli
