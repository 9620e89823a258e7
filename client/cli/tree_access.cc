// `drover tree acl|quota|whoami`: who may do what with the tree, and how much of it.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cli/acl_text.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/input.h"
#include "client/cli/stat_text.h"
#include "client/cli/tree_core.h"
#include "client/cli/write_flags.h"

namespace drover::cli {
namespace {

constexpr std::size_t kCredentialBytesMax = 1024;  // what a node takes

struct AccessFlags {
  std::string path = App::kHere;
  std::string user;
  std::uint64_t nodes = 0;
  std::uint64_t bytes = 0;
};

int GetAcl(const App& app, const AccessFlags& flags) {
  const std::string path = app.Path(flags.path);
  auto got = ReadCore(app, [&](auto& core, base::Duration left) { return core.GetAcl(path, left); });
  if (!got.ok()) return app.output.Fail(At(path, got.status()));
  if (app.output.format() == Format::kTable) {
    std::string lines;
    for (const coord::AclEntry& entry : got->acl) absl::StrAppend(&lines, AclEntryText(entry), "\n");
    app.output.Raw(lines);
    return kOk;
  }
  Item item;
  item.id = path;
  item.json = {{"path", path}, {"acl", AclJson(got->acl)}, {"aversion", got->stat.aversion}};
  app.output.One({}, item);
  return kOk;
}

int SetAcl(const App& app, const SetAclFlags& flags) {
  const std::string path = app.Path(flags.path);
  absl::StatusOr<coord::Acl> acl = ParseAcl(flags.acl);
  if (!acl.ok()) return app.Usage(std::string(acl.status().message()));
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    auto set = core.SetAcl(path, *std::move(acl), flags.version.Value());
    if (!set.ok()) return app.output.Fail(At(path, set.status()));
    if (app.output.format() != Format::kTable) app.output.One({}, StatItem(path, set->stat));
    return static_cast<int>(kOk);
  });
}

int Digest(const App& app, const AccessFlags& flags) {
  std::string user = flags.user;
  if (user == "-") {
    absl::StatusOr<std::string> line = ReadInput("-", kCredentialBytesMax, "a user and password");
    if (!line.ok()) return app.output.Fail(line.status());
    user = std::string(absl::StripSuffix(*line, "\n"));
  }
  const std::size_t colon = user.find(':');
  const std::string digest =
      colon == std::string::npos ? std::string() : coord::PasswordDigest(user.substr(0, colon), user.substr(colon + 1));
  if (digest.empty()) return app.Usage("tree acl digest: give USER:PASSWORD");
  Item item;
  item.id = digest;
  item.json = {{"digest", digest}};
  app.output.Line(digest, item);
  return kOk;
}

int WhoAmI(const App& app, const AccessFlags& /*flags*/) {
  auto who = ReadCore(app, [](auto& core, base::Duration left) { return core.WhoAmI(left); });
  if (!who.ok()) return app.output.Fail(who.status());
  std::vector<Item> items;
  for (const coord::Identity& identity : who->identities) {
    Item item;
    item.id = absl::StrCat(identity.scheme, ":", identity.id);
    item.json = {{"scheme", identity.scheme}, {"id", identity.id}};
    item.cells = {identity.scheme, identity.id};
    items.push_back(std::move(item));
  }
  app.output.List({"SCHEME", "ID"}, items);
  return kOk;
}

int ListQuotas(const App& app, const AccessFlags& flags) {
  const std::string path = app.PathOrHere(flags.path);
  auto quotas = ReadCore(app, [&](auto& core, base::Duration left) { return core.Quotas(path, left); });
  if (!quotas.ok()) return app.output.Fail(At(path, quotas.status()));
  std::vector<Item> items;
  for (const coord::QuotaUsage& usage : *quotas) items.push_back(QuotaItem(usage));
  app.output.List({"PATH", "NODES", "OF", "BYTES", "OF"}, items);
  return kOk;
}

int SetQuota(const App& app, coord::BlockingClient& core, const AccessFlags& flags) {
  const std::string path = app.Path(flags.path);
  auto set = core.SetQuota(path, {flags.nodes, flags.bytes});
  if (!set.ok()) return app.output.Fail(At(path, set.status()));
  if (app.output.format() == Format::kTable) return kOk;
  Item item;
  item.id = path;
  item.json = {{"path", path}, {"zxid", set->value}};
  app.output.One({}, item);
  return kOk;
}

}  // namespace

void AddTreeAccessCommands(process::OptionSet* tree, Commands* commands) {
  auto flags = std::make_shared<AccessFlags>();
  const auto add = [&](process::OptionSet& options, int (*run)(const App&, const AccessFlags&)) {
    commands->push_back({&options, [flags, run](const App& app) { return run(app, *flags); }});
  };
  process::OptionSet& acl = tree->Command("acl", "Who may do what with a node");
  process::OptionSet& get = acl.Command("get", "Shows a node's access control list, as SCHEME:ID:PERMISSIONS");
  get.Argument("PATH", &flags->path, "Path of a node");
  add(get, GetAcl);
  process::OptionSet& set = acl.Command("set", "Replaces a node's access control list");
  auto list_flags = std::make_shared<SetAclFlags>();
  list_flags->AddTo(&set);
  commands->push_back({&set, [list_flags](const App& app) { return SetAcl(app, *list_flags); }});
  process::OptionSet& digest = acl.Command("digest", "Prints USER:HASH, which names a user and password of scheme digest");
  digest.Argument("USER:PASSWORD", &flags->user, "Both, as --auth digest:USER:PASSWORD will give them; -: from standard input");
  add(digest, Digest);

  process::OptionSet& quota = tree->Command("quota", "How large a subtree may grow");
  process::OptionSet& list = quota.Command("list", "Shows what is at and below a node, and the quotas there");
  list.Argument("PATH", &flags->path, "Path of a node; nothing: the whole tree", /*required=*/false);
  add(list, ListQuotas);
  process::OptionSet& bound = quota.Command("set", "Bounds a subtree; without --nodes and --bytes: no longer");
  bound.Argument("PATH", &flags->path, "Path of a node");
  bound.Number("--nodes", &flags->nodes, "Nodes at and below it, at most; 0: no bound");
  bound.Number("--bytes", &flags->bytes, "Bytes of their data, at most; 0: no bound");
  commands->push_back({&bound, [flags](const App& app) {
                         return WithCore(app, [&](const App& a, coord::BlockingClient& core) { return SetQuota(a, core, *flags); });
                       }});

  add(tree->Command("whoami", "Shows who the core takes you for: by --auth, and by where you are"), WhoAmI);
}

}  // namespace drover::cli
