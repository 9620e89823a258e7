// `drover tree ls|view|count|stats|ephemerals|sessions`: what is where in the tree.
#include <algorithm>
#include <cstdint>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/stat_text.h"
#include "client/cli/subtree_summary.h"
#include "client/cli/time_text.h"
#include "client/cli/tree_core.h"
#include "client/cli/tree_drawing.h"
#include "client/cli/tree_walk.h"

namespace drover::cli {
namespace {

constexpr char kPathHelp[] = "Path of a node, like /a/b; nothing: the root, in a shell the node at hand";

struct LookFlags {
  std::string path = App::kHere;
  std::string under;
  std::string session;
  bool recursive = false;
  std::uint32_t top = 10;
  DrawingBounds bounds;
};

Item NameItem(const std::string& parent, const std::string& name) {
  Item item;
  item.id = name;
  item.json = {{"name", name}, {"path", absl::StrCat(parent == "/" ? "" : parent, "/", name)}};
  return item;
}

// Every node below it, as it comes: a list of any length needs no more memory than a page, but for one JSON array.
int LsAll(const App& app, const LookFlags& flags) {
  const std::string path = app.PathOrHere(flags.path);
  CoreReads reads(app);
  std::vector<Item> items;
  const auto walk = WalkTree(&reads, path, /*with_data=*/false, [&](const coord::Node& node) {
    if (node.path == path) return true;
    if (app.output.format() == Format::kJson) {
      items.push_back(StatItem(node.path, node.stat));
    } else {
      app.output.Line(node.path, StatItem(node.path, node.stat));
    }
    return true;
  });
  if (!walk.ok()) return app.output.Fail(walk.status());
  if (app.output.format() == Format::kJson) app.output.List({}, items);
  if (!walk->one_state) app.output.Note("the list was read in pages, of different states of the tree");
  return kOk;
}

int Ls(const App& app, const LookFlags& flags) {
  const std::string path = app.PathOrHere(flags.path);
  if (flags.recursive) return LsAll(app, flags);
  auto names = ReadCore(app, [&](auto& core, base::Duration left) { return core.Children(path, left); });
  if (!names.ok()) return app.output.Fail(At(path, names.status()));
  if (app.output.format() == Format::kTable) {
    std::string lines;
    for (const std::string& name : *names) absl::StrAppend(&lines, name, "\n");
    app.output.Raw(lines);
    return kOk;
  }
  std::vector<Item> items;
  for (const std::string& name : *names) items.push_back(NameItem(path, name));
  app.output.List({}, items);
  return kOk;
}

int View(const App& app, const LookFlags& flags) {
  const std::string path = app.PathOrHere(flags.path);
  CoreReads reads(app);
  TreeDrawing drawing(flags.bounds);
  const auto walk = WalkTree(&reads, path, /*with_data=*/false, [&drawing](const coord::Node& node) {
    drawing.Add(node);
    return true;
  });
  if (!walk.ok()) return app.output.Fail(walk.status());
  app.output.List(TreeDrawing::Names(), drawing.Items(app.output.format() == Format::kTable));
  if (const std::string cut = drawing.Cut(); !cut.empty()) app.output.Note(cut);
  return kOk;
}

int Count(const App& app, const LookFlags& flags) {
  const std::string path = app.PathOrHere(flags.path);
  auto counted = ReadCore(app, [&](auto& core, base::Duration left) { return core.CountDescendants(path, left); });
  if (!counted.ok()) return app.output.Fail(At(path, counted.status()));
  Item item;
  item.id = path;
  item.json = {{"path", path}, {"count", counted->count}};
  app.output.Line(absl::StrCat(counted->count), item);
  return kOk;
}

absl::StatusOr<SubtreeSummary> Summarise(const App& app, const std::string& path) {
  CoreReads reads(app);
  SubtreeSummary summary;
  const auto walk = WalkTree(&reads, path, /*with_data=*/false, [&summary](const coord::Node& node) {
    summary.Add(node);
    return true;
  });
  if (!walk.ok()) return walk.status();
  return summary;
}

int Stats(const App& app, const LookFlags& flags) {
  absl::StatusOr<SubtreeSummary> summary = Summarise(app, app.PathOrHere(flags.path));
  if (!summary.ok()) return app.output.Fail(summary.status());
  const std::vector<SubtreeSummary::Part> biggest = summary->Biggest(flags.top);
  Item whole = summary->WholeItem();
  whole.json["children"] = summary->children();
  whole.json["biggest"] = Json::array();
  std::vector<Item> parts;
  for (const SubtreeSummary::Part& part : biggest) {
    Item item;
    item.id = part.path;
    item.json = {{"path", part.path}, {"nodes", part.nodes}, {"bytes", part.bytes}};
    item.cells = {part.path, absl::StrCat(part.nodes), absl::StrCat(part.bytes)};
    whole.json["biggest"].push_back(item.json);
    parts.push_back(std::move(item));
  }
  app.output.One(SubtreeSummary::Names(), whole);
  if (app.output.format() != Format::kTable || parts.empty()) return kOk;
  app.output.Raw("\n");
  app.output.List({"BIGGEST BELOW", "NODES", "BYTES"}, parts);
  if (parts.size() < summary->children()) {
    app.output.Note(absl::StrCat(parts.size(), " of ", summary->children(), " children are shown; --top shows more"));
  }
  return kOk;
}

// Of all sessions.
int AllEphemerals(const App& app, const LookFlags& flags) {
  CoreReads reads(app);
  std::vector<Item> items;
  const auto walk =
      WalkTree(&reads, flags.under.empty() ? "/" : app.Path(flags.under), /*with_data=*/false, [&items](const coord::Node& node) {
        if (node.stat.ephemeral_owner.value == 0) return true;
        Item item = StatItem(node.path, node.stat);
        item.cells = {node.path, absl::StrCat(node.stat.ephemeral_owner.value), Rfc3339(node.stat.ctime.value)};
        items.push_back(std::move(item));
        return true;
      });
  if (!walk.ok()) return app.output.Fail(walk.status());
  app.output.List({"PATH", "SESSION", "CREATED"}, items);
  return kOk;
}

int Ephemerals(const App& app, const LookFlags& flags) {
  if (flags.session.empty()) return AllEphemerals(app, flags);
  std::uint64_t session = 0;
  if (!absl::SimpleAtoi(flags.session, &session) || session == 0) {
    return app.Usage(absl::StrCat("tree ephemerals: SESSION is a number above 0, not \"", flags.session, "\""));
  }
  auto nodes =
      ReadCore(app, [&](auto& core, base::Duration left) { return core.Ephemerals(coord::SessionId(session), flags.under, left); });
  if (!nodes.ok()) return app.output.Fail(flags.under.empty() ? nodes.status() : At(flags.under, nodes.status()));
  std::vector<Item> items;
  for (const coord::Node& node : *nodes) items.push_back(StatItem(node.path, node.stat));
  if (app.output.format() == Format::kTable) {
    std::string lines;
    for (const coord::Node& node : *nodes) absl::StrAppend(&lines, node.path, "\n");
    app.output.Raw(lines);
  } else {
    app.output.List({}, items);
  }
  return kOk;
}

Item SessionItem(const coord::SessionInfo& session) {
  Item item;
  item.id = absl::StrCat(session.id.value);
  item.json = {{"session", session.id.value},
               {"name", session.name},
               {"address", session.address},
               {"timeout_ms", base::ToMillis(session.timeout)},
               {"disconnect_grace_ms", base::ToMillis(session.disconnect_grace)},
               {"ephemerals", session.ephemerals}};
  item.cells = {item.id, session.name, session.address, ShortDuration(base::ToMillis(session.timeout)),
                absl::StrCat(session.ephemerals)};
  return item;
}

// Those that own nodes at or below the path, and what.
int SessionsUnder(const App& app, const std::string& path, const std::vector<coord::SessionInfo>& all) {
  absl::StatusOr<SubtreeSummary> summary = Summarise(app, path);
  if (!summary.ok()) return app.output.Fail(summary.status());
  std::vector<Item> items;
  for (const auto& [id, owned] : summary->owners()) {
    const auto known = std::find_if(all.begin(), all.end(), [id = id](const coord::SessionInfo& s) { return s.id == id; });
    coord::SessionInfo session = known == all.end() ? coord::SessionInfo() : *known;  // it has ended, or begun, since
    session.id = id;
    session.ephemerals = owned.nodes;
    Item item = SessionItem(session);
    item.json.update({{"bytes", owned.bytes}, {"oldest", Rfc3339(owned.oldest.value)}, {"oldest_path", owned.path}});
    item.cells.insert(item.cells.end(), {absl::StrCat(owned.bytes), Rfc3339(owned.oldest.value), owned.path});
    items.push_back(std::move(item));
  }
  app.output.List({"SESSION", "NAME", "ADDRESS", "TIMEOUT", "EPHEMERALS", "BYTES", "OLDEST", "OLDEST PATH"}, items);
  return kOk;
}

int Sessions(const App& app, const LookFlags& flags) {
  const auto all = ReadCore(app, [](auto& core, base::Duration left) { return core.Sessions(left); });
  if (!all.ok()) return app.output.Fail(all.status());
  if (!flags.under.empty()) return SessionsUnder(app, app.Path(flags.under), *all);
  std::vector<Item> items;
  for (const coord::SessionInfo& session : *all) items.push_back(SessionItem(session));
  app.output.List({"SESSION", "NAME", "ADDRESS", "TIMEOUT", "EPHEMERALS"}, items);
  return kOk;
}

}  // namespace

void AddTreeLookCommands(process::OptionSet* tree, Commands* commands) {
  auto flags = std::make_shared<LookFlags>();
  const auto add = [&](process::OptionSet& options, int (*run)(const App&, const LookFlags&)) {
    commands->push_back({&options, [flags, run](const App& app) { return run(app, *flags); }});
  };

  process::OptionSet& ls = tree->Command("ls", "Lists the names of a node's children");
  ls.Argument("PATH", &flags->path, kPathHelp, /*required=*/false);
  ls.Flag("-R,--recursive", &flags->recursive, "The paths of all nodes below it, at all depths");
  add(ls, Ls);

  process::OptionSet& view = tree->Command("view", "Draws what is below a node, with the nodes and bytes at and below each");
  view.Argument("PATH", &flags->path, kPathHelp, /*required=*/false);
  view.Number("--depth", &flags->bounds.depth, "How deep below it is drawn; what is deeper is counted", 0, 1'000);
  view.Number("--children", &flags->bounds.children, "How many children of one node are drawn", 0, 100'000);
  view.Number("--nodes", &flags->bounds.nodes, "How many nodes are drawn altogether", 1, 100'000);
  add(view, View);

  process::OptionSet& count = tree->Command("count", "Counts the nodes below a node, at all depths");
  count.Argument("PATH", &flags->path, kPathHelp, /*required=*/false);
  add(count, Count);

  process::OptionSet& stats = tree->Command("stats", "Counts nodes and bytes at and below a node, and shows its biggest subtrees");
  stats.Argument("PATH", &flags->path, kPathHelp, /*required=*/false);
  stats.Number("--top", &flags->top, "How many of its children's subtrees are shown", 0, 100'000);
  add(stats, Stats);

  process::OptionSet& ephemerals =
      tree->Command("ephemerals", "Lists the ephemeral nodes of a session, in the order of their creation, or of all by path");
  ephemerals.Argument("SESSION", &flags->session, "Id of a session, as ephemeral_owner of drover tree stat shows it; nothing: all",
                      /*required=*/false);
  ephemerals.Text("--under", &flags->under, "Only at or below this path");
  add(ephemerals, Ephemerals);

  process::OptionSet& sessions =
      tree->Command("sessions", "Lists all sessions of the core by age, with their time-outs and how many nodes they own");
  sessions.Text("--under", &flags->under, "Only those that own nodes at or below this path, and what they own there");
  add(sessions, Sessions);
}

}  // namespace drover::cli
