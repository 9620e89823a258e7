// Whether two replies to one operation say the same, given the deliberate differences and what corresponds to what.
//
// Pure: replies in, words out. The operations must come in the order in which both systems executed them, one at a time.
// Threads: one.
#ifndef DROVER_TESTS_ORACLE_JUDGE_H_
#define DROVER_TESTS_ORACLE_JUDGE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/answer.h"
#include "tests/oracle/correspondence.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

class Judge {
 public:
  // What differs, a sentence each; empty: nothing. After the first difference there is nothing more to be learnt.
  [[nodiscard]] std::vector<std::string> Compare(const Operation& operation, const Reply& zookeeper, const Reply& ours);

  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t stats() const { return stats_; }
  [[nodiscard]] std::size_t transactions() const { return correspondence_.transactions(); }
  // How often each deliberate difference showed.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& differences() const { return differences_; }

 private:
  void Zxids(const Operation& operation, const Answer& zookeeper, const Answer& ours);
  void Answers(const std::string& where, const Answer& expected, const Answer& ours);
  void Stats(const std::string& where, const Stat& expected, const Stat& ours);
  void Events(const std::vector<Event>& zookeeper, std::vector<Event> ours);
  void OwnStat(const Event& event);
  void Differ(const std::string& what);

  Correspondence correspondence_;
  std::set<std::uint64_t> ends_;  // of sessions: our zxids
  std::map<std::string, std::uint64_t> differences_;
  std::uint64_t events_ = 0;
  std::uint64_t stats_ = 0;
  std::vector<std::string> found_;  // of the operation at hand
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_JUDGE_H_
