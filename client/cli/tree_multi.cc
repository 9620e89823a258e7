// `drover tree multi`: several writes at once, or none of them.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/input.h"
#include "client/cli/transaction_text.h"
#include "client/cli/tree_core.h"

namespace drover::cli {
namespace {

// 4 MiB of data in a transaction, each byte written as \xHH.
constexpr std::size_t kTransactionTextBytesMax = std::size_t{16} << 20;

struct MultiFlags {
  std::string file;
};

int Multi(const App& app, const MultiFlags& flags) {
  absl::StatusOr<std::string> text = ReadInput(flags.file, kTransactionTextBytesMax, "the text of a transaction");
  if (!text.ok()) return app.output.Fail(text.status());
  absl::StatusOr<TransactionLines> lines = ParseTransaction(*text, [&app](const std::string& typed) { return app.Path(typed); });
  if (!lines.ok()) {
    return app.Usage(absl::StrCat(flags.file == "-" ? "standard input" : flags.file, ": ", lines.status().message()));
  }
  if (lines->ephemeral && !app.keeps_session()) {
    return app.Usage(
        "tree multi: an ephemeral node lives as long as the session, which ends with this command; see drover tree shell");
  }
  return WithCore(app, [&](const App&, coord::BlockingClient& core) {
    const absl::StatusOr<coord::TransactionResult> result = core.Commit(lines->transaction);
    if (!result.ok()) return app.output.Fail(RefusedAtLine(*lines, result.status()));
    if (app.output.json()) {
      app.output.One({}, OutcomeItem(*lines, *result));
    } else {
      const std::vector<Item> items = OutcomeItems(*lines, *result);
      if (app.output.format() == Format::kTable) {
        app.output.Raw(absl::StrCat(result->succeeded ? "then" : "else", ", zxid ", result->zxid.value, "\n"));
      }
      if (app.output.format() != Format::kTable || !items.empty()) app.output.List(OutcomeNames(), items);
    }
    if (result->succeeded || !lines->otherwise.empty()) return static_cast<int>(kOk);
    return app.output.Fail(absl::FailedPreconditionError("a compare does not hold, and there is no else: nothing was done"));
  });
}

}  // namespace

void AddTreeMultiCommand(process::OptionSet* tree, Commands* commands) {
  auto flags = std::make_shared<MultiFlags>();
  process::OptionSet& multi = tree->Command("multi", "Does several writes in one transaction: all of them or none");
  multi.Argument("FILE", &flags->file, "File with the lines of the transaction; -: standard input");
  multi.Footer(
      "One compare or operation a line; if all compares hold, the operations of then are done, else those of else:\n\n"
      "  # Takes the place if nobody has it, and says so.\n"
      "  if absent /lock\n"
      "  if /config version = 3\n"
      "  then create /lock \"it is mine\\n\" --ttl 1m\n"
      "  then set /config 'a=1'\n"
      "  else create /waiting/w- --sequential --parents\n\n"
      "if exists PATH, if absent PATH, if PATH FIELD =|!=|<|> NUMBER with the fields of drover tree stat (ctime and mtime in\n"
      "milliseconds since 1970). Operations: create, set and delete with the options of drover tree create, set and delete;\n"
      "check PATH [--version N]: refuses all unless the node is there and has that version; acl PATH ACL. Without then or else an\n"
      "operation is one of then. Words are quoted as in a shell: '...' is verbatim, in \"...\" there are \\n \\t \\r \\\\ \\\" "
      "\\xHH;\n"
      "data that begins with - follows --. At most 1,024 operations and 4 MiB of data.\n\n"
      "Exit code 8: an operation was refused and nothing was done, or a compare does not hold and there is no else.");
  commands->push_back({&multi, [flags](const App& app) { return Multi(app, *flags); }});
}

}  // namespace drover::cli
