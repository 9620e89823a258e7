// `drover tree ...`: coordination data by hand.
#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/acl_text.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/input.h"
#include "client/cli/interruption.h"
#include "client/cli/stat_text.h"
#include "client/cli/tree_core.h"

namespace drover::cli {
namespace {

constexpr std::size_t kNodeBytesMax = 1 << 20;

struct TreeFlags {
  std::string path;
  std::string data;
  bool ephemeral = false;
  bool hold = false;
  bool sequential = false;
  bool parents = false;
  bool container = false;
  bool if_absent = false;
  bool recursive = false;
  base::Duration ttl{0};
  std::string acl;
  std::int64_t version = -1;  // any

  [[nodiscard]] std::optional<std::uint32_t> Version() const {
    if (version < 0) return std::nullopt;
    return static_cast<std::uint32_t>(version);
  }
  // DATA, or standard input for "-".
  [[nodiscard]] absl::StatusOr<std::string> Data() const {
    if (data != "-") return data;
    return ReadInput("-", kNodeBytesMax, "the data of a node");
  }
};

int Get(const App& app, const TreeFlags& flags) {
  auto got = ReadCore(app, [&](auto& core, base::Duration left) { return core.Get(flags.path, left); });
  if (!got.ok()) return app.output.Fail(At(flags.path, got.status()));
  if (app.output.format() == Format::kTable) {
    app.output.Raw(got->node.data);
  } else {
    app.output.One({}, NodeItem(got->node));
  }
  return kOk;
}

int Stat(const App& app, const TreeFlags& flags) {
  auto exists = ReadCore(app, [&](auto& core, base::Duration left) { return core.Exists(flags.path, left); });
  if (!exists.ok()) return app.output.Fail(At(flags.path, exists.status()));
  if (!exists->stat) return app.output.Fail(absl::NotFoundError(absl::StrCat(flags.path, ": there is no such node")));
  app.output.One(StatNames(), StatItem(flags.path, *exists->stat));
  return kOk;
}

int Set(const App& app, coord::BlockingClient& core, const TreeFlags& flags) {
  auto data = flags.Data();
  if (!data.ok()) return app.output.Fail(data.status());
  auto set = core.Set(flags.path, *std::move(data), flags.Version());
  if (!set.ok()) return app.output.Fail(At(flags.path, set.status()));
  if (app.output.format() != Format::kTable) app.output.One({}, StatItem(flags.path, set->stat));
  return kOk;
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

int Create(const App& app, const TreeFlags& flags) {
  if (flags.ephemeral != flags.hold) {
    return app.Usage("tree create: -e and --hold go together, for an ephemeral node lives as long as the session of this command");
  }
  absl::StatusOr<coord::Acl> acl = coord::Acl();
  if (!flags.acl.empty()) acl = ParseAcl(flags.acl);
  if (!acl.ok()) return app.Usage(absl::StrCat("tree create: --acl: ", acl.status().message()));
  auto data = flags.Data();
  if (!data.ok()) return app.output.Fail(data.status());
  std::unique_ptr<Interruption> interruption;  // before any other thread
  if (flags.hold) interruption = std::make_unique<Interruption>();
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    coord::CreateOptions how;
    how.ephemeral = flags.ephemeral;
    how.sequential = flags.sequential;
    how.parents = flags.parents;
    how.container = flags.container;
    how.ttl = flags.ttl;
    how.if_absent = flags.if_absent;
    how.acl = *acl;
    auto created = core.Create(flags.path, *data, how);
    if (!created.ok()) return app.output.Fail(At(flags.path, created.status()));
    Item item = StatItem(created->path, created->stat);
    item.json["existed"] = created->existed;
    app.output.Line(created->path, item);
    return flags.hold ? Hold(app, core, *created, interruption.get()) : static_cast<int>(kOk);
  });
}

int Delete(const App& app, coord::BlockingClient& core, const TreeFlags& flags) {
  coord::DeleteSubtreeResult done{1, {}};
  absl::Status status;
  if (flags.recursive) {
    auto deleted = core.DeleteSubtree(flags.path, flags.Version());
    status = deleted.status();
    if (deleted.ok()) done = *deleted;
  } else {
    auto deleted = core.Delete(flags.path, flags.Version());
    status = deleted.status();
    if (deleted.ok()) done.zxid = deleted->zxid;
  }
  if (!status.ok()) return app.output.Fail(At(flags.path, status));
  if (app.output.format() != Format::kTable) {
    Item item;
    item.id = flags.path;
    item.json = {{"path", flags.path}, {"count", done.count}, {"zxid", done.zxid.value}};
    app.output.One({}, item);
  }
  return kOk;
}

}  // namespace

void AddTreeCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& tree = root->Command("tree", "Coordination data by hand");
  auto flags = std::make_shared<TreeFlags>();
  auto add = [&](const std::string& name, const std::string& summary) -> process::OptionSet& {
    process::OptionSet& options = tree.Command(name, summary);
    options.Argument("PATH", &flags->path, "Path of a node, like /a/b");
    return options;
  };
  auto add_data = [&](process::OptionSet& options) {
    options.Argument("DATA", &flags->data, "Data of the node; - reads standard input; nothing: empty", /*required=*/false);
  };
  auto add_version = [&](process::OptionSet& options) {
    options.Number("--version", &flags->version, "Only if the node has this version", 0, std::int64_t{0xffff'fffe});
  };
  auto with_core = [&](process::OptionSet& options, int (*use)(const App&, coord::BlockingClient&, const TreeFlags&)) {
    commands->push_back({&options, [flags, use](const App& app) {
                           return WithCore(app, [&](const App& a, coord::BlockingClient& core) { return use(a, core, *flags); });
                         }});
  };

  auto read_only = [&](process::OptionSet& options, int (*read)(const App&, const TreeFlags&)) {
    commands->push_back({&options, [flags, read](const App& app) { return read(app, *flags); }});
  };

  read_only(add("get", "Writes a node's data, byte for byte"), Get);
  read_only(add("stat", "Shows versions, zxids and times of a node"), Stat);

  process::OptionSet& set = add("set", "Replaces a node's data");
  add_data(set);
  add_version(set);
  with_core(set, Set);

  process::OptionSet& create = add("create", "Makes a node and prints its path");
  add_data(create);
  create.Flag("-e,--ephemeral", &flags->ephemeral, "Deleted with the session of this command; needs --hold");
  create.Flag("--hold", &flags->hold, "Keep the session until Ctrl-C, or until the node is deleted");
  create.Flag("-s,--sequential", &flags->sequential, "Append a ten-digit number to the path");
  create.Flag("-p,--parents", &flags->parents, "Also make missing parents");
  create.Flag("--container", &flags->container, "Deleted by the service once it has had children and has none");
  create.Time("--ttl", &flags->ttl, "Deleted by the service when it has no children and was not set for so long");
  create.Flag("--if-absent", &flags->if_absent, "A node that is there already is no error and stays as it is");
  create.Text("--acl", &flags->acl,
              "Who may do what with it, and with parents that are made: SCHEME:ID:PERMISSIONS,... as of drover tree acl set");
  commands->push_back({&create, [flags](const App& app) { return Create(app, *flags); }});

  process::OptionSet& remove = add("delete", "Deletes a node that has no children");
  add_version(remove);
  remove.Flag("-r,--recursive", &flags->recursive, "With all that is below it, in one transaction; at most 10,000 nodes");
  with_core(remove, Delete);

  AddTreeLookCommands(&tree, commands);
  AddTreeWatchCommand(&tree, commands);
  AddTreeAccessCommands(&tree, commands);
  AddTreeLockCommand(&tree, commands);
}

}  // namespace drover::cli
