// A transaction as lines, and its outcome as the command prints it.
//
//   # Takes the place, if nobody has it.
//   if absent /lock
//   if /config version = 3
//   then create /lock "me" --parents
//   then set /config 'a=1' --version 3
//   else delete /request
//
// One compare or operation a line, of words as words.h has them. `if exists PATH`, `if absent PATH`, `if PATH FIELD RELATION
// NUMBER` with the fields of `drover tree stat` and = != < >. Operations are create, set, delete, check (PATH [--version N]) and
// acl (PATH ACL), with the options of the commands of `drover tree`; without then or else they are of the `then` branch. Pure.
#ifndef DROVER_CLIENT_CLI_TRANSACTION_TEXT_H_
#define DROVER_CLIENT_CLI_TRANSACTION_TEXT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/output.h"
#include "drover/coord/types.h"

namespace drover::cli {

struct TransactionLines {
  coord::Transaction transaction;
  // The line (from 1) that each operation stands on.
  std::vector<std::size_t> then;
  std::vector<std::size_t> otherwise;
  bool ephemeral = false;  // it makes an ephemeral node
};

// `path_of`: a path as it was typed. INVALID_ARGUMENT names the line and what is wrong.
[[nodiscard]] absl::StatusOr<TransactionLines> ParseTransaction(absl::string_view text,
                                                                const std::function<std::string(const std::string&)>& path_of);

// "set", "create" ...
[[nodiscard]] const char* OperationName(coord::Operation::Kind kind);

// The names of OutcomeItems' cells.
[[nodiscard]] const std::vector<std::string>& OutcomeNames();
// One for each operation of the branch that was taken.
[[nodiscard]] std::vector<Item> OutcomeItems(const TransactionLines& lines, const coord::TransactionResult& result);
// {"succeeded", "zxid", "results": [...]}
[[nodiscard]] Item OutcomeItem(const TransactionLines& lines, const coord::TransactionResult& result);
// Why it was refused, with the line of the operation where one is to blame.
[[nodiscard]] absl::Status RefusedAtLine(const TransactionLines& lines, const absl::Status& status);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TRANSACTION_TEXT_H_
