#include "tests/oracle/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/oracle/report.h"

namespace drover::oracle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Has nothing but sessions, in which the n-th request of a kind is answered wrongly.
class EmptySystem final : public System {
 public:
  explicit EmptySystem(Kind wrong_kind = Kind::kOpen, int wrong = 0) : wrong_kind_(wrong_kind), wrong_(wrong) {}

  absl::StatusOr<std::vector<Reply>> Execute(absl::Span<const Operation> burst) override {
    std::vector<Reply> replies;
    for (const Operation& o : burst) {
      replies.push_back({.answer = AnswerTo(o)});
      if (o.kind == wrong_kind_ && ++asked_ == wrong_) replies.back().answer = Answer{.code = Code::kNotEmpty, .zxid = zxid_};
    }
    return replies;
  }

 private:
  Answer AnswerTo(const Operation& o) {
    if (o.kind == Kind::kOpen) return Answer{.session = ++zxid_};
    if (o.kind == Kind::kClose || o.kind == Kind::kAbandon) return Answer{.zxid = ++zxid_};
    if (o.kind == Kind::kSync || o.kind == Kind::kUnwatch) return Answer{.zxid = zxid_};
    // What no path is, is refused as the deliberate differences want it.
    if (o.path == "/" && (o.kind == Kind::kGet || o.kind == Kind::kChildren)) return Answer{.zxid = zxid_, .data = ""};
    return Answer{.code = Code::kBadArguments, .zxid = zxid_};
  }

  const Kind wrong_kind_;
  const int wrong_;
  int asked_ = 0;
  std::uint64_t zxid_ = 0;
};

TEST(RunTest, TwoThatAnswerTheSameDoNotDiffer) {
  EmptySystem zookeeper;
  EmptySystem ours;
  const RunResult result = RunOn({.seed = 5, .operations = 500, .audit_every = 100}, &zookeeper, &ours);
  EXPECT_EQ(result.fault, "");
  EXPECT_GE(result.operations, 500u);
}

TEST(RunTest, ADifferenceNamesSeedStepOperationBothAnswersAndWhatWasBefore) {
  EmptySystem zookeeper;
  EmptySystem ours(Kind::kSet, 30);
  const RunOptions options = {.seed = 5, .operations = 2'000};
  const RunResult result = RunOn(options, &zookeeper, &ours);
  EXPECT_THAT(result.fault,
              AllOf(HasSubstr("seed 5, step "), HasSubstr(": set \""), HasSubstr("BAD_ARGUMENTS is expected, we say NOT_EMPTY"),
                    HasSubstr("ZooKeeper: BAD_ARGUMENTS"), HasSubstr("Drover:    NOT_EMPTY"), HasSubstr("the last steps")));
  EXPECT_EQ(Again(options), "drover-oracle --seed 5 --operations 2000 --sessions 4");
  EmptySystem zookeeper_again;
  EmptySystem ours_again(Kind::kSet, 30);
  EXPECT_EQ(RunOn(options, &zookeeper_again, &ours_again).fault, result.fault);
}

TEST(RunTest, AnAuditFindsWhatNoOperationShowed) {
  EmptySystem zookeeper;
  EmptySystem ours(Kind::kChildren, 1);
  EXPECT_THAT(RunOn({.seed = 5, .operations = 1, .sessions = 1}, &zookeeper, &ours).fault, HasSubstr("children \"/\""));
}

}  // namespace
}  // namespace drover::oracle
