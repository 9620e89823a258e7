// Which zxid, session and time of ZooKeeper is which of ours, learnt as both go.
//
// A transaction has one zxid in each system. The mapping must keep the order; ours must count without a gap, since nothing but what
// takes effect has a zxid (ZooKeeper's refusals have some, too). A transaction has one time in each system: whatever Stat shows
// its zxid shows that time. Every method returns what is wrong, or nothing. Pure. Threads: one.
#ifndef DROVER_TESTS_ORACLE_CORRESPONDENCE_H_
#define DROVER_TESTS_ORACLE_CORRESPONDENCE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace drover::oracle {

class Correspondence {
 public:
  // What was before all transactions is {0, 0}.
  Correspondence() { transactions_.push_back({0, 0}); }

  // The next transaction, as both name it.
  [[nodiscard]] std::string Transaction(std::uint64_t zookeeper, std::uint64_t ours);
  // A session's opening: the next transaction of ours; ZooKeeper does not tell its zxid.
  [[nodiscard]] std::string Opening(std::uint64_t ours);
  // The zxid that our next transaction must have.
  [[nodiscard]] std::uint64_t next() const { return ours_ + 1; }
  // The states at which both answered a read or a refusal.
  [[nodiscard]] std::string State(std::uint64_t zookeeper, std::uint64_t ours);

  // Both name the same transaction.
  [[nodiscard]] std::string Zxid(absl::string_view what, std::uint64_t zookeeper, std::uint64_t ours) const;
  // Each shows the time of a transaction, which must have been the same one.
  [[nodiscard]] std::string Time(absl::string_view what, std::uint64_t zookeeper_zxid, std::int64_t zookeeper, std::int64_t ours);
  // An opened session, as both name it.
  void Session(std::uint64_t zookeeper, std::uint64_t ours) { sessions_[zookeeper] = ours; }
  [[nodiscard]] std::string Owner(std::uint64_t zookeeper, std::uint64_t ours) const;

  [[nodiscard]] bool IsTransactionOfOurs(std::uint64_t ours) const;
  [[nodiscard]] std::size_t transactions() const { return transactions_.size() - 1; }

 private:
  struct Zxids {
    std::uint64_t zookeeper;
    std::uint64_t ours;
  };
  // Of a transaction by ZooKeeper's name.
  [[nodiscard]] std::optional<std::size_t> Find(std::uint64_t zookeeper) const;

  std::vector<Zxids> transactions_;                                     // ascending in both
  std::uint64_t ours_ = 0;                                              // the newest, openings included
  std::map<std::size_t, std::pair<std::int64_t, std::int64_t>> times_;  // by transaction: ZooKeeper's, ours
  std::map<std::uint64_t, std::uint64_t> sessions_;                     // ZooKeeper's: ours
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_CORRESPONDENCE_H_
