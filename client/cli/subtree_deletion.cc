#include "client/cli/subtree_deletion.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "coord/base/status.h"
#include "drover/coord/status.h"

namespace drover::cli {
namespace {

constexpr std::size_t kChildrenTogether = 1'000;  // in one write, at first

bool IsTooLarge(const absl::Status& status) {
  return coord::RefusalOf(status) == coord::Code::kTooLarge;
}

class Deletion {
 public:
  explicit Deletion(coord::BlockingClient* core) : core_(core) {}

  absl::Status Delete(const std::string& path, std::optional<std::uint32_t> version) {
    const absl::StatusOr<coord::DeleteSubtreeResult> whole = core_->DeleteSubtree(path, version);
    if (!whole.ok()) return IsTooLarge(whole.status()) ? DeleteInParts(path, version) : whole.status();
    Count(whole->count, whole->zxid);
    return absl::OkStatus();
  }
  [[nodiscard]] const coord::DeleteSubtreeResult& done() const { return done_; }

 private:
  absl::Status DeleteInParts(const std::string& path, std::optional<std::uint32_t> version) {
    const absl::StatusOr<std::vector<std::string>> names = core_->Children(path);
    if (!names.ok()) return names.status();
    std::vector<std::string> children;
    children.reserve(names->size());
    for (const std::string& name : *names) children.push_back(absl::StrCat(path, "/", name));
    for (absl::Span<const std::string> rest = children; !rest.empty();) {
      const std::size_t together = std::min(rest.size(), kChildrenTogether);
      DROVER_RETURN_IF_ERROR(DeleteTogether(rest.first(together)));
      rest.remove_prefix(together);
    }
    const absl::StatusOr<coord::DeleteResult> last = core_->Delete(path, version);
    if (last.ok()) Count(1, last->zxid);
    return last.status();
  }

  // Fewer, if these are too much for one write, or one of them has gone meanwhile.
  absl::Status DeleteTogether(absl::Span<const std::string> paths) {
    if (paths.size() == 1) {
      const absl::Status status = Delete(paths.front(), std::nullopt);
      return coord::IsNoNode(status) ? absl::OkStatus() : status;
    }
    coord::Transaction transaction;
    for (const std::string& path : paths) transaction.then.push_back(coord::Operation::DeleteSubtree(path));
    const absl::StatusOr<coord::TransactionResult> result = core_->Commit(std::move(transaction));
    if (result.ok()) {
      for (const coord::OperationResult& each : result->results) Count(each.count, result->zxid);
      return absl::OkStatus();
    }
    if (!IsTooLarge(result.status()) && !coord::IsNoNode(result.status())) return result.status();
    const std::size_t half = paths.size() / 2;
    DROVER_RETURN_IF_ERROR(DeleteTogether(paths.first(half)));
    return DeleteTogether(paths.subspan(half));
  }

  void Count(std::uint64_t nodes, coord::Zxid zxid) {
    done_.count += nodes;
    done_.zxid = zxid;
  }

  coord::BlockingClient* const core_;
  coord::DeleteSubtreeResult done_{0, {}};
};

}  // namespace

absl::StatusOr<coord::DeleteSubtreeResult> DeleteSubtree(coord::BlockingClient& core, const std::string& path,
                                                         std::optional<std::uint32_t> version) {
  Deletion deletion(&core);
  const absl::Status status = deletion.Delete(path, version);
  if (!status.ok()) return status;
  return deletion.done();
}

}  // namespace drover::cli
