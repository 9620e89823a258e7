// `drover tree watch`: changes as they happen.
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/interruption.h"
#include "client/cli/stat_text.h"
#include "client/cli/tree_core.h"

namespace drover::cli {
namespace {

struct WatchFlags {
  std::string path;
  std::string kind;
  bool recursive = false;
  bool children = false;
  bool once = false;
};

struct WatchChoice {
  coord::WatchKind kind = coord::WatchKind::kRecursive;
  bool first_alone = false;  // leave after the first event, though the watch would hear more
};

std::optional<coord::WatchKind> KindOf(const std::string& name) {
  if (name == "recursive") return coord::WatchKind::kRecursive;
  if (name == "persistent") return coord::WatchKind::kPersistent;
  if (name == "once") return coord::WatchKind::kOnce;
  if (name == "once-children") return coord::WatchKind::kOnceChildren;
  return std::nullopt;
}

absl::StatusOr<WatchChoice> ChoiceOf(const WatchFlags& flags) {
  if (flags.recursive && flags.children)
    return absl::InvalidArgumentError("tree watch: --recursive and --children exclude each other");
  if (!flags.kind.empty()) {
    if (flags.recursive || flags.children || flags.once) {
      return absl::InvalidArgumentError("tree watch: --kind says it all; give it without --recursive, --children and --once");
    }
    return WatchChoice{*KindOf(flags.kind), false};
  }
  if (flags.children) return WatchChoice{flags.once ? coord::WatchKind::kOnceChildren : coord::WatchKind::kPersistent, false};
  if (flags.once && !flags.recursive) return WatchChoice{coord::WatchKind::kOnce, false};
  return WatchChoice{coord::WatchKind::kRecursive, flags.once};
}

// In a shell: its events are shown as they come, whatever else is typed.
int WatchBehind(const App& app, const std::string& path, const WatchChoice& choice) {
  coord::WatchOptions options;
  options.kind = choice.kind;
  const absl::Status status =
      app.session->Watch(path, options, choice.first_alone, [format = app.output.format()](const coord::Event& event) {
        std::ostringstream line;
        Output(format, &line, &line).Line(EventText(event), EventItem(event));
        return std::string(absl::StripSuffix(line.str(), "\n"));
      });
  return status.ok() ? static_cast<int>(kOk) : app.output.Fail(At(path, status));
}

int Watch(const App& app, const WatchFlags& flags) {
  const absl::StatusOr<WatchChoice> choice = ChoiceOf(flags);
  if (!choice.ok()) return app.Usage(std::string(choice.status().message()));
  const std::string path = app.Path(flags.path);
  if (app.session != nullptr) return WatchBehind(app, path, *choice);
  const Interruption interruption;
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    coord::WatchOptions options;
    options.kind = choice->kind;
    const absl::Status status = core.Watch(
        path, options,
        [&app, &choice](const coord::Event& event) {
          app.output.Line(EventText(event), EventItem(event));
          return !choice->first_alone;
        },
        [&interruption] { return interruption.asked(); });
    return status.ok() ? static_cast<int>(kOk) : app.output.Fail(At(path, status));
  });
}

}  // namespace

void AddTreeWatchCommand(process::OptionSet* tree, Commands* commands) {
  auto flags = std::make_shared<WatchFlags>();
  process::OptionSet& watch = tree->Command("watch",
                                            "Prints changes of a node and of everything below it, a line each, until Ctrl-C (in a "
                                            "shell: behind the prompt, until unwatch)");
  watch.Argument("PATH", &flags->path, "Path of a node, like /a/b; it need not be there");
  watch.Flag("-R,--recursive", &flags->recursive, "The node and everything below it: so it is without --children and --once");
  watch.Flag("--children", &flags->children, "The node, and which children it has; with --once one event of the children alone");
  watch.Flag("--once", &flags->once, "Leave after the first event; without --recursive and --children, of the node itself");
  watch.Custom(
      "--kind",
      [flags](const std::string& name) {
        flags->kind = name;
        return KindOf(name) ? absl::OkStatus() : absl::InvalidArgumentError("it is recursive, persistent, once or once-children");
      },
      "The same in one word: recursive; persistent: the node, and which children there are; once, once-children: one event of the "
      "node, or of its children");
  commands->push_back({&watch, [flags](const App& app) { return Watch(app, *flags); }});
}

}  // namespace drover::cli
