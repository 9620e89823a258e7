#include "client/cli/transaction_text.h"

#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/acl_text.h"
#include "client/cli/stat_text.h"
#include "client/cli/words.h"
#include "client/cli/write_flags.h"
#include "coord/process/options.h"

namespace drover::cli {
namespace {

using coord::Compare;
using coord::Operation;
using Words = std::vector<std::string>;
using PathOf = std::function<std::string(const std::string&)>;

constexpr std::pair<const char*, Compare::Field> kFields[] = {
    {"czxid", Compare::Field::kCzxid},
    {"mzxid", Compare::Field::kMzxid},
    {"pzxid", Compare::Field::kPzxid},
    {"version", Compare::Field::kVersion},
    {"cversion", Compare::Field::kCversion},
    {"aversion", Compare::Field::kAversion},
    {"ephemeral_owner", Compare::Field::kEphemeralOwner},
    {"data_length", Compare::Field::kDataLength},
    {"num_children", Compare::Field::kNumChildren},
    {"ctime", Compare::Field::kCtime},
    {"mtime", Compare::Field::kMtime},
};
constexpr std::pair<const char*, Compare::Relation> kRelations[] = {{"=", Compare::Relation::kEqual},
                                                                    {"!=", Compare::Relation::kNotEqual},
                                                                    {"<", Compare::Relation::kLess},
                                                                    {">", Compare::Relation::kGreater}};

template <typename Table, typename Value>
bool Find(const Table& table, const std::string& name, Value* value) {
  for (const auto& [known, of] : table) {
    if (name != known) continue;
    *value = of;
    return true;
  }
  return false;
}

absl::StatusOr<Compare> ParseCompare(const Words& words, const PathOf& path_of) {
  if (words.size() == 2 && words[0] == "exists") return Compare::Exists(path_of(words[1]));
  if (words.size() == 2 && words[0] == "absent") return Compare::Absent(path_of(words[1]));
  if (words.size() != 4) {
    return absl::InvalidArgumentError("a compare is: if exists PATH, if absent PATH, or if PATH FIELD =|!=|<|> NUMBER");
  }
  Compare compare;
  compare.path = path_of(words[0]);
  if (!Find(kFields, words[1], &compare.field)) {
    std::string names;
    for (const auto& [name, field] : kFields) absl::StrAppend(&names, names.empty() ? "" : ", ", name);
    return absl::InvalidArgumentError(absl::StrCat("there is no field ", words[1], "; there are: ", names));
  }
  if (!Find(kRelations, words[2], &compare.relation)) {
    return absl::InvalidArgumentError(absl::StrCat(words[2], " is none of = != < >"));
  }
  if (!absl::SimpleAtoi(words[3], &compare.value)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", words[3], "\" is not a number that fits"));
  }
  return compare;
}

absl::StatusOr<std::string> DataTyped(const DataArgument& data) {
  if (!data.standard_input()) return data.Typed();
  return absl::InvalidArgumentError("- is no data in a transaction; of a single - write -- -");
}

// One operation, by the same options as the commands of `drover tree`.
absl::StatusOr<Operation> ParseOperation(const Words& words, const PathOf& path_of) {
  process::OptionSet options("an operation", "");
  CreateFlags create;
  SetFlags set;
  DeleteFlags remove;
  DeleteFlags check;
  SetAclFlags acl;
  process::OptionSet& create_options = options.Command("create", "");
  create.AddTo(&create_options, "", "");
  process::OptionSet& set_options = options.Command("set", "");
  set.AddTo(&set_options, "");
  process::OptionSet& delete_options = options.Command("delete", "");
  remove.AddTo(&delete_options);
  process::OptionSet& check_options = options.Command("check", "");
  check_options.Argument("PATH", &check.path, "");
  check.version.AddTo(&check_options, "");
  process::OptionSet& acl_options = options.Command("acl", "");
  acl.AddTo(&acl_options);

  bool done = false;
  std::ostringstream help;
  const absl::Status parsed = options.ParseFrom(
      words, [](const std::string&) { return std::nullopt; }, help, &done);
  if (!parsed.ok()) return parsed;
  if (done) return absl::InvalidArgumentError("--help is no option here");
  if (create_options.chosen()) {
    absl::StatusOr<std::string> data = DataTyped(create.data);
    if (!data.ok()) return data.status();
    absl::StatusOr<coord::CreateOptions> how = create.Options();
    if (!how.ok()) return how.status();
    return Operation::Create(path_of(create.path), *std::move(data), *std::move(how));
  }
  if (set_options.chosen()) {
    absl::StatusOr<std::string> data = DataTyped(set.data);
    if (!data.ok()) return data.status();
    return Operation::Set(path_of(set.path), *std::move(data), set.version.Value());
  }
  if (delete_options.chosen()) {
    const std::string path = path_of(remove.path);
    return remove.recursive ? Operation::DeleteSubtree(path, remove.version.Value())
                            : Operation::Delete(path, remove.version.Value());
  }
  if (check_options.chosen()) return Operation::Check(path_of(check.path), check.version.Value());
  absl::StatusOr<coord::Acl> list = ParseAcl(acl.acl);
  if (!list.ok()) return list.status();
  return Operation::SetAcl(path_of(acl.path), *std::move(list), acl.version.Value());
}

absl::Status AddLine(Words words, std::size_t line, const PathOf& path_of, TransactionLines* out) {
  const std::string first = words.front();
  if (first == "if" || first == "then" || first == "else") words.erase(words.begin());
  if (first == "if") {
    absl::StatusOr<Compare> compare = ParseCompare(words, path_of);
    if (!compare.ok()) return compare.status();
    out->transaction.compares.push_back(*std::move(compare));
    return absl::OkStatus();
  }
  if (words.empty()) return absl::InvalidArgumentError(absl::StrCat("an operation is to follow ", first, " on its line"));
  absl::StatusOr<Operation> operation = ParseOperation(words, path_of);
  if (!operation.ok()) return operation.status();
  out->ephemeral = out->ephemeral || operation->create.ephemeral;
  (first == "else" ? out->otherwise : out->then).push_back(line);
  (first == "else" ? out->transaction.otherwise : out->transaction.then).push_back(*std::move(operation));
  return absl::OkStatus();
}

std::string ResultText(const Operation& operation, const coord::OperationResult& result) {
  switch (operation.kind) {
    case Operation::Kind::kCreate:
      return result.existed ? "was there" : "made";
    case Operation::Kind::kSet:
      return absl::StrCat("version ", result.stat.version);
    case Operation::Kind::kSetAcl:
      return absl::StrCat("aversion ", result.stat.aversion);
    case Operation::Kind::kCheck:
      return "holds";
    case Operation::Kind::kDeleteSubtree:
      return absl::StrCat(result.count, " deleted");
    case Operation::Kind::kDelete:
      return "deleted";
  }
  return "";
}

}  // namespace

absl::StatusOr<TransactionLines> ParseTransaction(absl::string_view text, const PathOf& path_of) {
  TransactionLines out;
  std::size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    absl::StatusOr<Words> words = SplitWords(line);
    absl::Status status = words.status();
    if (status.ok() && !words->empty()) status = AddLine(*std::move(words), number, path_of, &out);
    if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", status.message()));
  }
  if (out.then.empty() && out.otherwise.empty() && out.transaction.compares.empty()) {
    return absl::InvalidArgumentError("there is no line with a compare or an operation");
  }
  return out;
}

const char* OperationName(Operation::Kind kind) {
  switch (kind) {
    case Operation::Kind::kCreate:
      return "create";
    case Operation::Kind::kDelete:
      return "delete";
    case Operation::Kind::kSet:
      return "set";
    case Operation::Kind::kCheck:
      return "check";
    case Operation::Kind::kDeleteSubtree:
      return "delete -r";
    case Operation::Kind::kSetAcl:
      return "acl";
  }
  return "";
}

const std::vector<std::string>& OutcomeNames() {
  static const std::vector<std::string> kNames = {"LINE", "OPERATION", "PATH", "RESULT"};
  return kNames;
}

std::vector<Item> OutcomeItems(const TransactionLines& lines, const coord::TransactionResult& result) {
  const std::vector<Operation>& operations = result.succeeded ? lines.transaction.then : lines.transaction.otherwise;
  const std::vector<std::size_t>& numbers = result.succeeded ? lines.then : lines.otherwise;
  std::vector<Item> items;
  for (std::size_t i = 0; i < operations.size() && i < result.results.size(); ++i) {
    const Operation& operation = operations[i];
    const coord::OperationResult& made = result.results[i];
    const std::string& path = made.path.empty() ? operation.path : made.path;
    Item item;
    item.id = path;
    item.json = {{"line", numbers[i]}, {"operation", OperationName(operation.kind)}, {"path", path}};
    switch (operation.kind) {
      case Operation::Kind::kCreate:
        item.json["existed"] = made.existed;
        item.json["stat"] = StatJson(made.stat);
        break;
      case Operation::Kind::kSet:
      case Operation::Kind::kSetAcl:
        item.json["stat"] = StatJson(made.stat);
        break;
      case Operation::Kind::kDeleteSubtree:
        item.json["count"] = made.count;
        break;
      case Operation::Kind::kDelete:
      case Operation::Kind::kCheck:
        break;
    }
    item.cells = {absl::StrCat(numbers[i]), OperationName(operation.kind), path, ResultText(operation, made)};
    items.push_back(std::move(item));
  }
  return items;
}

Item OutcomeItem(const TransactionLines& lines, const coord::TransactionResult& result) {
  Item item;
  item.id = absl::StrCat(result.zxid.value);
  item.json = {{"succeeded", result.succeeded}, {"zxid", result.zxid.value}, {"results", Json::array()}};
  for (const Item& one : OutcomeItems(lines, result)) item.json["results"].push_back(one.json);
  return item;
}

absl::Status RefusedAtLine(const TransactionLines& lines, const absl::Status& status) {
  const std::optional<std::size_t> at = coord::RefusedOperation(status);
  if (!at.has_value()) return status;
  std::string where;
  // Which branch was taken is not told.
  for (const auto& [numbers, operations] :
       {std::pair(&lines.then, &lines.transaction.then), {&lines.otherwise, &lines.transaction.otherwise}}) {
    if (*at >= numbers->size()) continue;
    const Operation& operation = (*operations)[*at];
    absl::StrAppend(&where, where.empty() ? "" : ", or ", "line ", (*numbers)[*at], ": ", OperationName(operation.kind), " ",
                    operation.path);
  }
  if (where.empty()) return status;
  return absl::Status(status.code(), absl::StrCat(where, ": ", status.message(), "; nothing was done"));
}

}  // namespace drover::cli
