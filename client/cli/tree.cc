// `drover tree ...`: coordination data by hand.
#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/input.h"
#include "client/cli/interruption.h"
#include "client/cli/stat_text.h"
#include "client/cli/subtree_deletion.h"
#include "client/cli/tree_core.h"
#include "client/cli/tree_shell.h"
#include "client/cli/write_flags.h"

namespace drover::cli {
namespace {

constexpr std::size_t kTypedDataBytesMax = 1 << 20;

struct PathFlag {
  std::string path;
};

struct HeldCreateFlags : CreateFlags {
  bool hold = false;
};

// DATA, or standard input for "-".
absl::StatusOr<std::string> DataGiven(const DataArgument& data) {
  if (!data.standard_input()) return data.Typed();
  return ReadInput("-", kTypedDataBytesMax, "the data of a node");
}

int Get(const App& app, const PathFlag& flags) {
  const std::string path = app.Path(flags.path);
  auto got = ReadCore(app, [&](auto& core, base::Duration left) { return core.Get(path, left); });
  if (!got.ok()) return app.output.Fail(At(path, got.status()));
  if (app.output.format() == Format::kTable) {
    app.output.Raw(got->node.data);
  } else {
    app.output.One({}, NodeItem(got->node));
  }
  return kOk;
}

int Stat(const App& app, const PathFlag& flags) {
  const std::string path = app.Path(flags.path);
  auto exists = ReadCore(app, [&](auto& core, base::Duration left) { return core.Exists(path, left); });
  if (!exists.ok()) return app.output.Fail(At(path, exists.status()));
  if (!exists->stat) return app.output.Fail(absl::NotFoundError(absl::StrCat(path, ": there is no such node")));
  app.output.One(StatNames(), StatItem(path, *exists->stat));
  return kOk;
}

int Set(const App& app, const SetFlags& flags) {
  const std::string path = app.Path(flags.path);
  auto data = DataGiven(flags.data);
  if (!data.ok()) return app.output.Fail(data.status());
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    auto set = core.Set(path, *std::move(data), flags.version.Value());
    if (!set.ok()) return app.output.Fail(At(path, set.status()));
    if (app.output.format() != Format::kTable) app.output.One({}, StatItem(path, set->stat));
    return static_cast<int>(kOk);
  });
}

// Until Ctrl-C, or until the node is deleted or the session ends by itself.
int Hold(const App& app, coord::BlockingClient& core, const coord::CreateResult& created, Interruption* interruption) {
  bool deleted = false;
  coord::WatchOptions options;
  options.with_data = false;
  options.after = coord::Position{created.zxid, coord::Position::kAll};
  const absl::Status watched = core.Watch(
      created.path, options,
      [&](const coord::Event& event) {
        deleted = event.type == coord::Event::Type::kDeleted && event.path == created.path;
        return !deleted;
      },
      [&] { return interruption->asked(); });
  if (core.expired()) return app.output.Fail(kUnavailable, absl::AbortedError("the session has expired, so the node is gone"));
  if (!watched.ok()) return app.output.Fail(At(created.path, watched));
  const absl::Status closed = core.Close();
  if (deleted) return app.output.Fail(At(created.path, absl::NotFoundError("somebody deleted the node")));
  return closed.ok() ? static_cast<int>(kOk) : app.output.Fail(closed);
}

int Create(const App& app, const HeldCreateFlags& flags) {
  if (!app.keeps_session() && flags.ephemeral != flags.hold) {
    return app.Usage("tree create: -e and --hold go together, for an ephemeral node lives as long as the session of this command");
  }
  const std::string path = app.Path(flags.path);
  absl::StatusOr<coord::CreateOptions> how = flags.Options();
  if (!how.ok()) return app.Usage(absl::StrCat("tree create: ", how.status().message()));
  auto data = DataGiven(flags.data);
  if (!data.ok()) return app.output.Fail(data.status());
  std::unique_ptr<Interruption> interruption;  // before any other thread
  if (flags.hold) interruption = std::make_unique<Interruption>();
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    auto created = core.Create(path, *data, *how);
    if (!created.ok()) return app.output.Fail(At(path, created.status()));
    Item item = StatItem(created->path, created->stat);
    item.json["existed"] = created->existed;
    app.output.Line(created->path, item);
    return flags.hold ? Hold(app, core, *created, interruption.get()) : static_cast<int>(kOk);
  });
}

int Delete(const App& app, const DeleteFlags& flags) {
  const std::string path = app.Path(flags.path);
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    coord::DeleteSubtreeResult done{1, {}};
    absl::Status status;
    if (flags.recursive) {
      auto deleted = DeleteSubtree(core, path, flags.version.Value());
      status = deleted.status();
      if (deleted.ok()) done = *deleted;
    } else {
      auto deleted = core.Delete(path, flags.version.Value());
      status = deleted.status();
      if (deleted.ok()) done.zxid = deleted->zxid;
    }
    if (!status.ok()) return app.output.Fail(At(path, status));
    if (app.output.format() != Format::kTable) {
      Item item;
      item.id = path;
      item.json = {{"path", path}, {"count", done.count}, {"zxid", done.zxid.value}};
      app.output.One({}, item);
    }
    return static_cast<int>(kOk);
  });
}

// Each command has flags of its own, made for it.
template <typename Flags>
Flags* Register(process::OptionSet& options, Commands* commands, int (*run)(const App&, const Flags&)) {
  auto flags = std::make_shared<Flags>();
  commands->push_back({&options, [flags, run](const App& app) { return run(app, *flags); }});
  return flags.get();
}

}  // namespace

void AddTreeCommandsTo(process::OptionSet* tree, Commands* commands, bool in_shell) {
  const char* const data_help =
      in_shell ? "Data of the node; nothing: empty" : "Data of the node; - reads standard input; nothing: empty";

  process::OptionSet& get = tree->Command("get", "Writes a node's data, byte for byte");
  get.Argument("PATH", &Register(get, commands, Get)->path, "Path of a node, like /a/b");
  process::OptionSet& stat = tree->Command("stat", "Shows versions, zxids and times of a node");
  stat.Argument("PATH", &Register(stat, commands, Stat)->path, "Path of a node, like /a/b");

  process::OptionSet& set = tree->Command("set", "Replaces a node's data");
  Register(set, commands, Set)->AddTo(&set, data_help);

  process::OptionSet& create = tree->Command("create", "Makes a node and prints its path");
  HeldCreateFlags* const how = Register(create, commands, Create);
  how->AddTo(&create, data_help,
             in_shell ? "Deleted with the session of this shell" : "Deleted with the session of this command; needs --hold");
  if (!in_shell) create.Flag("--hold", &how->hold, "Keep the session until Ctrl-C, or until the node is deleted");

  process::OptionSet& remove = tree->Command("delete", "Deletes a node that has no children");
  Register(remove, commands, Delete)->AddTo(&remove);

  AddTreeLookCommands(tree, commands);
  AddTreeWatchCommand(tree, commands);
  AddTreeMultiCommand(tree, commands);
  AddTreeTransferCommands(tree, commands);
  AddTreeAccessCommands(tree, commands);
}

void AddTreeCommands(process::OptionSet* root, Commands* commands, bool terminal) {
  process::OptionSet& tree = root->Command("tree", "Coordination data by hand");
  AddTreeCommandsTo(&tree, commands, /*in_shell=*/false);
  AddTreeLockCommand(&tree, commands);
  AddTreeShellCommand(&tree, commands);
  if (!terminal) return;
  tree.CommandOptional();
  // The last one of the tree: it is chosen with each of them.
  commands->push_back({&tree, [](const App& app) { return RunTreeShell(app, /*keep_going=*/false); }});
}

}  // namespace drover::cli
