// `drover tree shell`: the commands of `drover tree`, one after the other, in one session.
#include "client/cli/tree_shell.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/acl_text.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/interrupts.h"
#include "client/cli/line_source.h"
#include "client/cli/node_path.h"
#include "client/cli/shell_history.h"
#include "client/cli/terminal_lines.h"
#include "client/cli/tree_core.h"
#include "client/cli/tree_session.h"
#include "client/cli/words.h"

namespace drover::cli {
namespace {

constexpr base::Duration kCompletionTime = std::chrono::milliseconds(500);
constexpr std::uint32_t kCompletionChildren = 200;

struct ShellFlags {
  std::string path = App::kHere;
  std::string credential;
  bool left = false;
};

int Cd(const App& app, const ShellFlags& flags) {
  const std::string path = flags.path == App::kHere ? "/" : app.Path(flags.path);
  auto exists = ReadCore(app, [&](auto& core, base::Duration left) { return core.Exists(path, left); });
  if (!exists.ok()) return app.output.Fail(At(path, exists.status()));
  if (!exists->stat) return app.output.Fail(absl::NotFoundError(absl::StrCat(path, ": there is no such node")));
  app.session->set_at(path);
  return kOk;
}

int Pwd(const App& app, const ShellFlags& /*flags*/) {
  Item item;
  item.id = app.session->at();
  item.json = {{"path", app.session->at()}};
  app.output.Line(app.session->at(), item);
  return kOk;
}

int Auth(const App& app, const ShellFlags& flags) {
  const absl::StatusOr<std::vector<coord::Credential>> credentials = ParseCredentials({flags.credential});
  if (!credentials.ok()) return app.Usage(std::string(credentials.status().message()));
  const absl::Status proved = app.session->Authenticate(credentials->front());
  return proved.ok() ? static_cast<int>(kOk) : app.output.Fail(proved);
}

int ShowSession(const App& app, const ShellFlags& /*flags*/) {
  absl::StatusOr<coord::BlockingClient*> core = app.session->Core();
  if (!core.ok()) return app.output.Fail(core.status());
  base::Duration timeout{0};
  std::uint64_t id = 0;
  (*core)->OnLoop([&](coord::Session& session) {
    timeout = session.timeout();
    id = session.id().value;
  });
  Item item;
  item.id = absl::StrCat(id);
  item.json = {{"session", id}, {"timeout_ms", base::ToMillis(timeout)}, {"watches", app.session->Watched()}};
  item.cells = {item.id, process::FormatDuration(timeout), absl::StrCat(app.session->Watched().size())};
  app.output.One({"session", "timeout", "watches"}, item);
  return kOk;
}

int Unwatch(const App& app, const ShellFlags& flags) {
  const std::string path = flags.path == App::kHere ? "" : app.Path(flags.path);
  if (app.session->Unwatch(path) > 0 || path.empty()) return kOk;
  return app.output.Fail(absl::NotFoundError(absl::StrCat(path, ": there is no watch of it")));
}

// The commands that are of a shell alone.
void AddShellCommands(process::OptionSet* shell, Commands* commands, std::shared_ptr<ShellFlags> flags) {
  const auto add = [&](const std::string& name, const std::string& summary,
                       int (*run)(const App&, const ShellFlags&)) -> process::OptionSet& {
    process::OptionSet& options = shell->Command(name, summary);
    commands->push_back({&options, [flags, run](const App& app) { return run(app, *flags); }});
    return options;
  };
  add("cd", "Makes a node the one at hand, from which relative paths count", Cd)
      .Argument("PATH", &flags->path, "Path of a node; nothing: the root", /*required=*/false);
  add("pwd", "Shows the path of the node at hand", Pwd);
  add("auth", "Proves who you are, for this session and those after it", Auth)
      .Argument("CREDENTIAL", &flags->credential, "digest:USER:PASSWORD; the history does not keep it");
  add("session", "Shows this shell's session", ShowSession);
  add("unwatch", "Ends watches", Unwatch).Argument("PATH", &flags->path, "Of this path; nothing: all", /*required=*/false);
  for (const char* name : {"exit", "quit"}) {
    process::OptionSet& exit = shell->Command(name, "Leaves the shell, as Ctrl-D does");
    commands->push_back({&exit, [flags](const App&) {
                           flags->left = true;
                           return static_cast<int>(kOk);
                         }});
  }
}

class Shell {
 public:
  Shell(const App& app, TreeSession* session, bool terminal, bool keep_going)
      : app_(app),
        session_(*session),
        terminal_(terminal),
        keep_going_(keep_going),
        history_(terminal ? HistoryFile(Environment) : "") {}

  int Run() {
    // Opened now, so that a core that is not there is told before anything is typed.
    if (absl::StatusOr<coord::BlockingClient*> core = session_.Core(); !core.ok())
      return app_.output.Fail(app_.Explained(core.status()));
    const std::unique_ptr<LineSource> lines = Open();
    int worst = kOk;
    while (true) {
      session_.Reset();
      ShowNews();
      if (session_.leaving()) return 128 + SIGTERM;
      std::string line;
      const LineOutcome outcome = lines->Read(absl::StrCat("drover:", session_.at(), "> "), &line);
      if (outcome == LineOutcome::kEnd) return worst;
      if (outcome == LineOutcome::kFailed) return app_.output.Fail(absl::DataLossError("cannot read standard input"));
      if (outcome == LineOutcome::kInterrupted) {
        if (terminal_ || session_.leaving()) continue;
        return 128 + SIGINT;
      }
      session_.Reset();
      bool left = false;
      const int code = RunLine(line, &left);
      if (left) return worst;
      if (code == kOk || terminal_) continue;
      if (!keep_going_) return code;
      if (worst == kOk) worst = code;
    }
  }

 private:
  static std::optional<std::string> Environment(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  }

  std::unique_ptr<LineSource> Open() {
    LineHooks hooks;
    hooks.news_fd = session_.news_fd();
    hooks.on_news = [this] {
      ShowNews();
      return session_.interrupted();
    };
    hooks.complete = [this](absl::string_view line, std::size_t* word_begin) { return CompleteLine(line, word_begin); };
    if (terminal_) {
      if (std::unique_ptr<LineSource> lines = LinesOfTerminal(hooks, &history_)) return lines;
    }
    return LinesOf(STDIN_FILENO, std::move(hooks));
  }

  void ShowNews() {
    for (const News& news : session_.TakeNews()) {
      if (news.event) {
        app_.output.Raw(absl::StrCat(news.text, "\n"));
      } else {
        app_.output.Note(news.text);
      }
    }
  }

  // What a line is read by: made anew for each, for a set reads one command line.
  struct Reading {
    process::OptionSet options{
        "drover tree",
        "The commands of the shell: those of drover tree, and some of its own. help COMMAND shows the options of one."};
    std::string format;
    Commands commands;
    std::shared_ptr<ShellFlags> flags = std::make_shared<ShellFlags>();

    explicit Reading(std::string default_format) : format(std::move(default_format)) {
      options.Choice("-o,--output", &format, {"table", "json", "jsonl", "id"}, "How to print");
      AddTreeCommandsTo(&options, &commands, /*in_shell=*/true);
      AddShellCommands(&options, &commands, flags);
    }
  };

  int RunLine(const std::string& line, bool* left) {
    const absl::StatusOr<std::vector<std::string>> words = SplitWords(line);
    if (!words.ok()) return app_.output.Fail(words.status());
    if (words->empty()) return kOk;
    Reading reading(app_.globals.format);
    const bool help = words->front() == "help";
    std::vector<std::string> args(words->begin() + (help ? 1 : 0), words->end());
    if (help) args.push_back("--help");
    if (const std::string own = OwnInput(args); !own.empty()) return app_.Usage(own);
    bool done = false;
    if (const absl::Status s = reading.options.ParseFrom(
            args, [](const std::string&) { return std::nullopt; }, std::cout, &done);
        !s.ok()) {
      return app_.output.Fail(kUsage, absl::InvalidArgumentError(absl::StrCat(s.message(), " (help lists the commands)")));
    }
    std::cout.flush();
    if (done) return kOk;
    Output output(*ParseFormat(reading.format), &std::cout, &std::cerr);
    App app{app_.globals, output, app_.make_tasks, session_.credentials(), &session_};
    for (const Command& command : reading.commands) {
      if (!command.options->chosen()) continue;
      const int code = command.run(app);
      *left = reading.flags->left;
      return code;
    }
    return kOk;
  }

  // Why a - will not do: standard input is where the lines come from.
  static std::string OwnInput(const std::vector<std::string>& args) {
    for (const std::string& word : args) {
      if (word == "--") return "";
      if (word == "-" && args.front() != "export")
        return "- is standard input, from which this shell reads its lines; of the data - write -- -";
    }
    return "";
  }

  Completion CompleteLine(absl::string_view line, std::size_t* word_begin) {
    const Reading reading(app_.globals.format);
    const Wanted wanted = WantedAt(line, session_.at(), [&reading](std::vector<std::string> words) {
      const bool first = words.empty();
      if (!first && words.front() == "help") words.erase(words.begin());
      std::vector<std::string> names = reading.options.CommandsBelow(words);
      if (first) names.emplace_back("help");
      return names;
    });
    *word_begin = wanted.word_begin;
    return Complete(wanted, wanted.kind == Wanted::Kind::kPath ? Children(wanted) : wanted.commands);
  }

  // Of the node whose children may be meant, those that come at and behind how the name begins.
  std::vector<std::string> Children(const Wanted& wanted) {
    coord::BlockingClient* const core = session_.CoreIfOpen();
    if (core == nullptr) return {};
    const TreeSession::Briefly briefly(&session_, kCompletionTime);
    const std::string begun = absl::StrCat(wanted.parent == "/" ? "" : wanted.parent, "/", wanted.name);
    std::vector<coord::ReadOperation> reads = {coord::ReadOperation::Children(wanted.parent, wanted.name, kCompletionChildren)};
    if (!wanted.name.empty()) reads.push_back(coord::ReadOperation::Exists(begun));
    const absl::StatusOr<coord::MultiReadResult> result = core->MultiRead(std::move(reads));
    if (!result.ok()) return {};
    std::vector<std::string> names = result->answers[0].names;
    if (result->answers.size() > 1 && result->answers[1].status.ok()) names.insert(names.begin(), wanted.name);
    return names;
  }

  const App& app_;
  TreeSession& session_;
  const bool terminal_;
  const bool keep_going_;
  ShellHistory history_;
};

}  // namespace

int RunTreeShell(const App& app, bool keep_going) {
  TreeSession session(app.CoreOptions(), coord::BlockingClient::Connect);
  // Before the session's threads, which are started when it is opened.
  const Interrupts interrupts([&session](int /*count*/, int signal) {
    if (signal == SIGTERM) {
      session.Leave();
    } else {
      session.Interrupt();
    }
  });
  const bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  return Shell(app, &session, terminal, keep_going).Run();
}

void AddTreeShellCommand(process::OptionSet* tree, Commands* commands) {
  auto keep_going = std::make_shared<bool>(false);
  process::OptionSet& shell = tree->Command("shell", "The commands of drover tree one after the other, in one session");
  shell.Flag("--keep-going", keep_going.get(), "Where lines do not come from a terminal: go on after one that failed");
  shell.Footer(
      "On a terminal (drover tree alone does the same): lines can be edited, the tab key completes commands and paths, Ctrl-C ends "
      "the\n"
      "running command, Ctrl-D or exit leaves. Else lines are read from standard input up to the first that fails, whose exit code "
      "it\n"
      "has. Paths may be relative to the node at hand (cd, pwd). The session lives as long as the shell: so do ephemeral nodes\n"
      "(create -e), watches, whose events are shown as they come, and who you are (auth). help lists the commands.");
  commands->push_back({&shell, [keep_going](const App& app) { return RunTreeShell(app, *keep_going); }});
}

}  // namespace drover::cli
