// `drover tree export|import`: a subtree to a file, and back.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/import_plan.h"
#include "client/cli/incoming_file.h"
#include "client/cli/input.h"
#include "client/cli/subtree_file.h"
#include "client/cli/subtree_reading.h"
#include "client/cli/tree_core.h"
#include "coord/base/file_system.h"
#include "coord/base/status.h"

namespace drover::cli {
namespace {

struct ExportFlags {
  std::string path;
  std::string file = "-";
  bool force = false;
  bool any_state = false;
};

struct ImportFlags {
  std::string file;
  std::string path;
  bool merge = false;
  bool replace = false;
  bool parents = false;
  bool dry_run = false;
};

SubtreeFile FileOf(const std::string& path, SubtreeReading reading) {
  SubtreeFile file;
  file.path = path;
  file.zxid = reading.zxid;
  file.one_state = reading.one_state;
  for (std::size_t i = 0; i < reading.nodes.size(); ++i) {
    coord::Node& node = reading.nodes[i];
    if (node.stat.ephemeral_owner.value != 0) {
      ++file.ephemerals_left_out;  // they have no children
      continue;
    }
    file.nodes.push_back(
        {RelativePath(path, node.path), std::move(node.data), std::move(reading.acls[i]), node.stat.container, node.stat.ttl});
  }
  return file;
}

absl::Status WriteWhole(const std::string& name, absl::string_view text, bool replace) {
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<IncomingFile> incoming, IncomingFile::Begin(files.get(), name, replace));
  DROVER_RETURN_IF_ERROR(incoming->Append(text));
  DROVER_RETURN_IF_ERROR(incoming->Sync());
  return incoming->Adopt();
}

int Export(const App& app, const ExportFlags& flags) {
  const std::string path = app.Path(flags.path);
  CoreReads reads(app);
  absl::StatusOr<SubtreeReading> reading =
      ReadSubtree(&reads, path, flags.any_state ? Consistency::kAnyState : Consistency::kOneState);
  if (absl::IsAborted(reading.status())) {
    return app.output.Fail(kRefused, absl::AbortedError(absl::StrCat(reading.status().message(),
                                                                     "; --any-state takes each node as it is when it is read")));
  }
  if (!reading.ok()) return app.output.Fail(reading.status());
  const SubtreeFile file = FileOf(path, *std::move(reading));
  if (file.nodes.empty()) return app.output.Fail(absl::FailedPreconditionError(absl::StrCat(path, ": it is ephemeral")));
  const std::string text = EncodeSubtree(file);
  if (text.size() > kSubtreeFileBytesMax) {
    return app.output.Fail(
        absl::ResourceExhaustedError(absl::StrCat("the file would have more than ", BytesText(kSubtreeFileBytesMax))));
  }
  if (file.ephemerals_left_out > 0) {
    app.output.Note(absl::StrCat(file.ephemerals_left_out, " ephemeral nodes are left out: they belong to sessions"));
  }
  if (!file.one_state) app.output.Note("the nodes were read one after the other, at different states");
  if (flags.file == "-") {
    app.output.Raw(text);
    return kOk;
  }
  if (absl::Status written = WriteWhole(flags.file, text, flags.force); !written.ok()) return app.output.Fail(written);
  if (app.output.format() == Format::kTable) return kOk;
  Item item;
  item.id = flags.file;
  item.json = {{"file", flags.file},         {"path", path},
               {"zxid", file.zxid.value},    {"one_state", file.one_state},
               {"nodes", file.nodes.size()}, {"ephemerals_left_out", file.ephemerals_left_out},
               {"bytes", text.size()}};
  app.output.One({}, item);
  return kOk;
}

// What is at and below the path; nothing if there is no such node.
absl::StatusOr<SubtreeReading> ReadPresent(const App& app, const std::string& path) {
  CoreReads reads(app);
  auto exists = reads.Ask([&](auto& core, base::Duration left) { return core.Exists(path, left); });
  if (!exists.ok()) return At(path, exists.status());
  if (!exists->stat.has_value()) return SubtreeReading();
  absl::StatusOr<SubtreeReading> present = ReadSubtree(&reads, path, Consistency::kAnyState);
  if (coord::IsNoNode(present.status())) return SubtreeReading();
  return present;
}

Item ImportItem(const std::string& path, const ImportCounts& counts, std::uint64_t unchanged, std::size_t transactions,
                bool complete, bool dry_run) {
  Item item;
  item.id = path;
  item.json = {{"path", path},
               {"created", counts.created},
               {"set", counts.set},
               {"acls_set", counts.acls_set},
               {"unchanged", unchanged},
               {"deleted", counts.deleted},
               {"transactions", transactions},
               {"complete", complete},
               {"dry_run", dry_run}};
  return item;
}

std::string CountsText(const ImportCounts& counts, std::uint64_t unchanged) {
  std::string text = absl::StrCat(counts.created, " created, ", counts.set, " set, ", unchanged, " unchanged");
  if (counts.acls_set > 0) absl::StrAppend(&text, ", ", counts.acls_set, " access control lists set");
  if (counts.deleted > 0) absl::StrAppend(&text, ", ", counts.deleted, " deleted before");
  return text;
}

// What of the plan was done when it could not go on.
absl::Status Stopped(const ImportPlan& plan, std::size_t done, const ImportCounts& counts, const absl::Status& why) {
  const std::string place =
      plan.batches.size() == 1 ? "" : absl::StrCat("transaction ", done + 1, " of ", plan.batches.size(), ": ");
  const std::string open = coord::IsOutcomeUnknown(why) ? "whether it was done is not known" : "nothing of it was done";
  std::string before = "nothing was changed before";
  if (done > 0) {
    before = absl::StrCat("before it were done: ", CountsText(counts, 0), ", up to ", plan.batches[done - 1].last,
                          "; --merge goes on from there");
  }
  return absl::Status(why.code(), absl::StrCat(place, why.message(), "; ", open, "; ", before));
}

absl::Status Commit(coord::BlockingClient& core, const ImportBatch& batch) {
  const absl::StatusOr<coord::TransactionResult> result = core.Commit(batch.transaction);
  if (!result.ok()) {
    const std::optional<std::size_t> at = coord::RefusedOperation(result.status());
    if (!at.has_value() || *at >= batch.transaction.then.size()) return result.status();
    const absl::Status named = At(batch.transaction.then[*at].path, result.status());
    return named;
  }
  if (!result->succeeded) return absl::FailedPreconditionError("the node was deleted, or made anew, since it was read");
  return absl::OkStatus();
}

int Apply(const App& app, const std::string& path, const ImportPlan& plan, const CommandInterruption& interruption) {
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    ImportCounts counts;
    for (std::size_t i = 0; i < plan.batches.size(); ++i) {
      absl::Status done = interruption.asked() ? absl::CancelledError("interrupted") : Commit(core, plan.batches[i]);
      if (!done.ok()) {
        if (app.output.json()) app.output.One({}, ImportItem(path, counts, 0, i, /*complete=*/false, /*dry_run=*/false));
        return app.output.Fail(Stopped(plan, i, counts, done));
      }
      counts += plan.batches[i].counts;
    }
    app.output.Line(absl::StrCat(path, ": ", CountsText(counts, plan.counts.unchanged)),
                    ImportItem(path, counts, plan.counts.unchanged, plan.batches.size(), /*complete=*/true, /*dry_run=*/false));
    return static_cast<int>(kOk);
  });
}

int Import(const App& app, const ImportFlags& flags) {
  if (flags.merge && flags.replace) return app.Usage("tree import: --merge and --replace exclude each other");
  ImportOptions options;
  options.path = app.Path(flags.path);
  options.mode = flags.merge ? ImportMode::kMerge : flags.replace ? ImportMode::kReplace : ImportMode::kNew;
  options.parents = flags.parents;
  options.authenticated = !app.credentials.empty();
  absl::StatusOr<std::string> text = ReadInput(flags.file, kSubtreeFileBytesMax, "the file of a subtree");
  if (!text.ok()) return app.output.Fail(text.status());
  const absl::StatusOr<SubtreeFile> file = DecodeSubtree(*text);
  if (!file.ok()) return app.output.Fail(base::Annotate(file.status(), flags.file == "-" ? "standard input" : flags.file));

  const CommandInterruption interruption(app);
  const absl::StatusOr<SubtreeReading> present = ReadPresent(app, options.path);
  if (!present.ok()) return app.output.Fail(present.status());
  const absl::StatusOr<ImportPlan> plan = PlanImport(*file, options, *present);
  if (!plan.ok()) return app.output.Fail(plan.status());
  if (!flags.dry_run && !plan->batches.empty()) return Apply(app, options.path, *plan, interruption);
  app.output.Line(
      absl::StrCat(options.path, flags.dry_run ? ": would be " : ": ", CountsText(plan->counts, plan->counts.unchanged),
                   flags.dry_run ? absl::StrCat(", in ", plan->batches.size(), " transactions") : ""),
      ImportItem(options.path, plan->counts, plan->counts.unchanged, plan->batches.size(), !flags.dry_run, flags.dry_run));
  return kOk;
}

}  // namespace

void AddTreeTransferCommands(process::OptionSet* tree, Commands* commands) {
  {
    auto flags = std::make_shared<ExportFlags>();
    process::OptionSet& options = tree->Command("export", "Writes a node and all below it as JSON");
    options.Argument("PATH", &flags->path, "Path of a node, like /a/b");
    options.Argument("FILE", &flags->file, "Where to; - or nothing: standard output", /*required=*/false);
    options.Flag("--force", &flags->force, "Replace FILE if it is there");
    options.Flag("--any-state", &flags->any_state, "Each node as it is when it is read: for what changes all the time");
    options.Footer(
        "Data (as text, or base64 where it is no UTF-8), access control lists, containers and times to live; not versions, times,\n"
        "quotas, the numbers of sequential nodes, nor ephemeral nodes. All of it is of one state of the tree, or exit code 8 says "
        "that\n"
        "it changed again and again. At most 100,000 nodes and 64 MiB of data; more is for drover cluster snapshot save.");
    commands->push_back({&options, [flags](const App& app) { return Export(app, *flags); }});
  }
  auto flags = std::make_shared<ImportFlags>();
  process::OptionSet& options = tree->Command("import", "Makes a node and all below it from a file of drover tree export");
  options.Argument("FILE", &flags->file, "A file of drover tree export; -: standard input");
  options.Argument("PATH", &flags->path, "Path that the subtree's root gets; not there yet, unless --merge or --replace is given");
  options.Flag("--merge", &flags->merge, "Change what is there to what the file says; what the file does not name stays");
  options.Flag("--replace", &flags->replace, "Delete what is there first, at most 10,000 nodes, in the first transaction");
  options.Flag("-p,--parents", &flags->parents, "Also make missing parents of PATH");
  options.Flag("--dry-run", &flags->dry_run, "Check it against what is there and say what would be done");
  options.Footer(
      "Everything is checked before anything changes. Then it goes in transactions of at most 1,000 operations and 3 MiB, parents\n"
      "first: each is done wholly or not at all, all together they are not. Where it stops in the middle, the error says what was\n"
      "done, and the same with --merge goes on. Nodes that others change meanwhile are not overwritten (exit code 8).");
  commands->push_back({&options, [flags](const App& app) { return Import(app, *flags); }});
}

}  // namespace drover::cli
