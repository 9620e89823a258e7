// Known good and known bad histories, and what the reports say.
#include "tests/sim/check/linearizability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/check/history.h"

namespace drover::sim::check {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Builders: Op(invoked, returned) with 0 for "never".
struct Op {
  Op(Stamp invoked, Stamp returned) {
    operation.invoked = invoked;
    if (returned != 0) operation.returned = returned;
  }
  Op& By(std::uint64_t client) { return operation.client = client, *this; }
  Op& Create(std::string path, std::string data, std::uint64_t owner = 0) {
    operation.owner = base::SessionId(owner);
    return Do(Kind::kCreate, std::move(path), std::move(data));
  }
  Op& Set(std::string path, std::string data) { return Do(Kind::kSet, std::move(path), std::move(data)); }
  Op& Delete(std::string path) { return Do(Kind::kDelete, std::move(path), ""); }
  Op& If(std::uint32_t version) { return operation.expected_version = version, *this; }
  Op& Get(std::string path, std::string answer) {
    operation.result.data = std::move(answer);
    return Do(Kind::kGet, std::move(path), "");
  }
  Op& Exists(std::string path) { return Do(Kind::kExists, std::move(path), ""); }
  Op& Children(std::string path, std::vector<std::string> names) {
    operation.result.names = std::move(names);
    return Do(Kind::kChildren, std::move(path), "");
  }
  Op& End(std::uint64_t owner) {
    operation.owner = base::SessionId(owner);
    return Do(Kind::kEndSession, "", "");
  }
  Op& Multi(std::vector<Compare> compares, std::vector<Change> then, std::vector<Change> otherwise = {}) {
    operation.compares = std::move(compares);
    operation.then = std::move(then);
    operation.otherwise = std::move(otherwise);
    return Do(Kind::kTransaction, "", "");
  }
  Op& Else() { return operation.result.succeeded = false, *this; }
  Op& Gives(Code code) { return operation.result.code = code, *this; }
  Op& Zxid(std::uint64_t zxid) { return operation.zxid = base::Zxid(zxid), *this; }
  Op& Version(std::uint32_t version) { return operation.result.version = version, *this; }
  Op& Do(Kind kind, std::string path, std::string data) {
    operation.kind = kind;
    operation.path = std::move(path);
    operation.data = std::move(data);
    return *this;
  }
  operator Operation() const { return operation; }  // NOLINT: the point of it
  Operation operation;
};

Change SetTo(std::string path, std::string data) {
  return {Kind::kSet, std::move(path), std::move(data), {}, {}};
}

struct Case {
  const char* name;
  std::vector<Operation> history;
};
void PrintTo(const Case& c, std::ostream* os) {
  *os << c.name;
}

class Good : public ::testing::TestWithParam<Case> {};
class Bad : public ::testing::TestWithParam<Case> {};
std::string NameOfCase(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

TEST_P(Good, Passes) {
  const LinearizabilityReport report = CheckLinearizability(GetParam().history);
  EXPECT_EQ(report.verdict, Verdict::kLinearizable) << report.explanation;
  EXPECT_TRUE(ToStatus(report).ok());
}
TEST_P(Bad, IsFound) {
  const LinearizabilityReport report = CheckLinearizability(GetParam().history);
  EXPECT_EQ(report.verdict, Verdict::kViolated);
  EXPECT_THAT(report.explanation, HasSubstr("no order of the operations on"));
  EXPECT_EQ(ToStatus(report).code(), absl::StatusCode::kInternal);
}

const Case kGood[] = {
    {"Nothing", {}},
    {"OneAfterAnother",
     {Op(1, 2).Create("/a", "x").Version(0), Op(3, 4).Set("/a", "y").Version(1), Op(5, 6).Get("/a", "y").Version(1),
      Op(7, 8).Delete("/a"), Op(9, 10).Get("/a", "").Gives(Code::kNoNode)}},
    {"ConcurrentReadsSeeOldAndNew",
     {Op(1, 2).Create("/a", "x"), Op(3, 10).Set("/a", "y"), Op(4, 5).Get("/a", "x"), Op(6, 9).Get("/a", "y")}},
    {"ConcurrentWritesInTheOrderThatReadsTell",
     {Op(1, 2).Create("/a", "x"), Op(3, 10).Set("/a", "y"), Op(3, 10).Set("/a", "z"), Op(11, 12).Get("/a", "y").Version(2)}},
    {"UnknownWriteTookEffectLate",
     {Op(1, 2).Create("/a", "x"), Op(3, 0).Set("/a", "y"), Op(4, 5).Get("/a", "x"), Op(6, 7).Set("/a", "z").Version(1),
      Op(8, 9).Get("/a", "z"), Op(10, 11).Get("/a", "y").Version(2)}},
    {"UnknownWriteNeverTookEffect", {Op(1, 2).Create("/a", "x"), Op(3, 0).Delete("/a"), Op(4, 5).Get("/a", "x")}},
    {"UnknownReadSaysNothing", {Op(1, 0).Get("/a", "never answered"), Op(2, 3).Get("/a", "").Gives(Code::kNoNode)}},
    {"OneOfTwoCreatesWins", {Op(1, 4).Create("/a", "x"), Op(2, 3).Create("/a", "y").Gives(Code::kNodeExists)}},
    {"OneOfTwoVersionedSetsWins",
     {Op(1, 2).Create("/a", "x"), Op(3, 6).Set("/a", "y").If(0).Gives(Code::kBadVersion),
      Op(4, 5).Set("/a", "z").If(0).Version(1)}},
    {"RefusedForOtherReasonsHasNoEffect",
     {Op(1, 2).Create("/a", "x").Gives(Code::kResourceExhausted), Op(3, 4).Exists("/a").Gives(Code::kNoNode)}},
    {"NodesAreIndependent", {Op(1, 2).Create("/a", "x"), Op(3, 4).Get("/b", "").Gives(Code::kNoNode)}},
    {"TransactionOverTwoNodes",
     {Op(1, 2).Create("/a", "1"), Op(3, 4).Create("/b", "1"),
      Op(5, 8).Multi({{"/a", Compare::Field::kVersion, 0}}, {SetTo("/a", "2"), SetTo("/b", "2")}), Op(6, 7).Get("/b", "1"),
      Op(9, 10).Get("/b", "2"), Op(11, 12).Get("/a", "2")}},
    {"TransactionTakesItsOtherBranch",
     {Op(1, 2).Multi({{"/a", Compare::Field::kExists, 1}}, {SetTo("/a", "2")}, {{Kind::kCreate, "/a", "1", {}, {}}}).Else(),
      Op(3, 4).Get("/a", "1")}},
    {"TransactionThatIsRefusedLeavesNothing",
     {Op(1, 2).Create("/a", "1"), Op(3, 4).Multi({}, {SetTo("/a", "2"), SetTo("/b", "2")}).Gives(Code::kNoNode),
      Op(5, 6).Get("/a", "1").Version(0)}},
    {"ChildrenAtOneMoment",
     {Op(1, 2).Create("/p/a", ""), Op(3, 8).Create("/p/b", ""), Op(4, 5).Children("/p", {"a"}), Op(6, 7).Children("/p", {"a", "b"}),
      Op(9, 10).Children("/q", {})}},
    {"EphemeralsEndWithTheirSession",
     {Op(1, 2).Create("/a", "", 7), Op(3, 4).Create("/b", "", 8), Op(5, 0).End(7), Op(6, 7).Exists("/a"),
      Op(8, 9).Exists("/a").Gives(Code::kNoNode), Op(10, 11).Exists("/b")}},
    {"RetriedCreateAppliedOnce",
     {Op(1, 8).Create("/a", "x"), Op(2, 3).Get("/a", "x"), Op(4, 5).Delete("/a"), Op(9, 10).Exists("/a").Gives(Code::kNoNode)}},
};

const Case kBad[] = {
    {"StaleRead", {Op(1, 2).Create("/a", "x"), Op(3, 4).Set("/a", "y"), Op(5, 6).Get("/a", "x")}},
    {"StaleReadByVersionAlone", {Op(1, 2).Create("/a", "x"), Op(3, 4).Set("/a", "x"), Op(5, 6).Get("/a", "x").Version(0)}},
    {"LostUpdate",
     {Op(1, 2).Create("/a", "x"), Op(3, 6).Set("/a", "y").If(0).Version(1), Op(4, 7).Set("/a", "z").If(0).Version(1)}},
    {"AcknowledgedWriteIsGone",
     {Op(1, 2).Create("/a", "x"), Op(3, 4).Set("/a", "y").Version(1), Op(5, 6).Set("/a", "z").Version(1)}},
    {"SplitBrain",
     {Op(1, 2).Create("/a", "x"), Op(3, 4).Set("/a", "left"), Op(5, 6).Set("/a", "right"), Op(7, 8).Get("/a", "left"),
      Op(9, 10).Get("/a", "right")}},
    {"ReadOfTheUncommittedThatIsThenLost",
     {Op(1, 2).Create("/a", "x"), Op(3, 0).Set("/a", "y"), Op(4, 5).Get("/a", "y"), Op(6, 7).Get("/a", "x")}},
    {"ReadBeforeItWasWritten", {Op(1, 2).Create("/a", "x"), Op(3, 4).Get("/a", "y"), Op(5, 6).Set("/a", "y")}},
    {"RetriedCreateAppliedTwice",
     {Op(1, 4).Create("/a", "x"), Op(2, 3).Get("/a", "x"), Op(5, 6).Delete("/a"), Op(7, 8).Exists("/a")}},
    {"UnknownWriteTookEffectTwice",
     {Op(1, 2).Create("/a", "x"), Op(3, 0).Set("/a", "y"), Op(4, 5).Get("/a", "y"), Op(6, 7).Set("/a", "z"),
      Op(8, 9).Get("/a", "y")}},
    {"ReadsGoBack",
     {Op(1, 2).Create("/a", "x"), Op(3, 12).Set("/a", "y"), Op(4, 5).By(1).Get("/a", "y"), Op(6, 7).By(2).Get("/a", "x")}},
    {"TwoCreatesWin", {Op(1, 4).Create("/a", "x"), Op(2, 3).Create("/a", "y")}},
    {"RefusedWithoutReason", {Op(1, 2).Create("/a", "x"), Op(3, 4).Set("/a", "y").If(0).Gives(Code::kBadVersion)}},
    {"HalfATransactionIsSeen",
     {Op(1, 2).Create("/a", "1"), Op(3, 4).Create("/b", "1"), Op(5, 10).Multi({}, {SetTo("/a", "2"), SetTo("/b", "2")}),
      Op(6, 7).Get("/a", "2"), Op(8, 9).Get("/b", "1")}},
    {"WrongBranch", {Op(1, 2).Create("/a", "1"), Op(3, 4).Multi({{"/a", Compare::Field::kVersion, 5}}, {SetTo("/a", "2")})}},
    {"ChildrenFromTheFuture", {Op(1, 2).Create("/p/a", ""), Op(3, 4).Children("/p", {"a", "b"}), Op(5, 6).Create("/p/b", "")}},
    {"ChildrenOfNoMoment",
     {Op(1, 2).Create("/p/a", ""), Op(3, 4).Create("/p/b", ""), Op(5, 6).Delete("/p/a"), Op(4, 9).Children("/p", {})}},
    {"ChildrenThatNobodyMade", {Op(1, 2).Children("/p", {"a"})}},
    {"EphemeralOutlivesItsSession", {Op(1, 2).Create("/a", "", 7), Op(3, 4).End(7), Op(5, 6).Exists("/a")}},
    {"EphemeralGoesWithoutItsSession", {Op(1, 2).Create("/a", "", 7), Op(3, 4).Exists("/a").Gives(Code::kNoNode)}},
};

INSTANTIATE_TEST_SUITE_P(Linearizability, Good, ::testing::ValuesIn(kGood), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Linearizability, Bad, ::testing::ValuesIn(kBad), NameOfCase);

TEST(Linearizability, TheExplanationShowsWhatContradictsAndLeavesOutWhatDoesNot) {
  std::vector<Operation> history = {Op(1, 2).Create("/a", "x"), Op(3, 4).Create("/b", "other")};
  for (Stamp at = 10; at < 400; at += 2) history.push_back(Op(at, at + 1).By(9).Get("/a", "x"));
  history.push_back(Op(500, 501).By(1).Set("/a", "y"));
  history.push_back(Op(502, 503).By(2).Get("/a", "x"));
  history.push_back(Op(504, 505).By(3).Get("/a", "never looked at"));
  const LinearizabilityReport report = CheckLinearizability(history);
  ASSERT_EQ(report.verdict, Verdict::kViolated);
  const std::string contradiction = report.explanation.substr(report.explanation.find("In contradiction"));
  EXPECT_EQ(contradiction,
            "In contradiction are, reads that do not matter left out:\n"
            "  [1, 2] client 0: create /a \"x\" -> OK\n"
            "  [500, 501] client 1: set /a \"y\" -> OK\n"
            "  [502, 503] client 2: get /a -> OK \"x\"\n");
  EXPECT_THAT(report.explanation, HasSubstr("which leaves /a=\"y\" v1"));
  EXPECT_THAT(report.explanation, Not(HasSubstr("/b")));
}

// So many writes without versions or reads, one of them acknowledged against the rest: every order would have to be tried.
TEST(Linearizability, WhatIsTooMuchIsUndecidedAndNoPass) {
  std::vector<Operation> history = {Op(1, 2).Create("/a", "x")};
  for (int i = 0; i < 18; ++i) history.push_back(Op(3, 100).By(i).Set("/a", std::to_string(i)));
  history.push_back(Op(101, 102).Get("/a", "impossible"));
  const LinearizabilityReport report = CheckLinearizability(history, {.configurations_max = 1'000});
  EXPECT_EQ(report.verdict, Verdict::kUndecided);
  EXPECT_EQ(ToStatus(report).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_LE(report.configurations, 1'000U);
  EXPECT_THAT(report.explanation, HasSubstr("/a with 20 operations"));
}

// Of an unknown outcome the log may know the zxid all the same. Tried last, the write would be missed after all that came between.
TEST(Linearizability, AnUnknownWriteIsTriedWhereItsZxidIs) {
  constexpr int kBetween = 18;
  std::vector<Operation> history = {Op(1, 2).Create("/a", "x").Zxid(1)};
  std::vector<Change> all = {SetTo("/a", "y")};
  for (int i = 0; i < kBetween; ++i) {
    const std::string path = "/b" + std::to_string(i);
    history.push_back(Op(1, 2).Create(path, "x").Zxid(1));
    all.push_back(SetTo(path, "y"));
    history.push_back(Op(6, 21 + i).Set(path, std::to_string(i)).Zxid(12 + i));
    history.push_back(Op(50, 60).Get(path, std::to_string(i)).Zxid(40));
  }
  history.push_back(Op(3, 4).Multi({}, all).Zxid(2));
  history.push_back(Op(5, 0).Set("/a", "unknown").Zxid(10));
  history.push_back(Op(5, 20).Set("/a", "known").Zxid(11));
  history.push_back(Op(70, 71).Get("/a", "known").Version(3).Zxid(40));
  const LinearizabilityReport report = CheckLinearizability(history);
  EXPECT_EQ(report.verdict, Verdict::kLinearizable) << report.explanation;
  EXPECT_LT(report.configurations, 100U);
}

TEST(Linearizability, AViolationIsToldThoughAnotherObjectIsUndecided) {
  std::vector<Operation> history = {Op(1, 2).Create("/a", "x"), Op(1, 2).Create("/b", "x"), Op(3, 4).Get("/b", "y")};
  for (int i = 0; i < 18; ++i) history.push_back(Op(3, 100).By(i).Set("/a", std::to_string(i)));
  history.push_back(Op(101, 102).Get("/a", "impossible"));
  EXPECT_EQ(CheckLinearizability(history, {.configurations_max = 1'000}).verdict, Verdict::kViolated);
}

TEST(History, StampsAreTheOrderOfCalls) {
  History history;
  const std::size_t a = history.Invoked(Op(0, 0).Create("/a", "x"));
  const Stamp between = history.Next();
  const std::size_t b = history.Invoked(Op(0, 0).Get("/a", ""));
  history.Returned(a, {}, base::Zxid(5));
  const std::vector<Operation> operations = history.operations();
  EXPECT_LT(operations[a].invoked, between);
  EXPECT_LT(between, operations[b].invoked);
  EXPECT_LT(operations[b].invoked, operations[a].returned.value());
  EXPECT_EQ(operations[a].zxid, base::Zxid(5));
  EXPECT_FALSE(operations[b].returned.has_value());
}

}  // namespace
}  // namespace drover::sim::check
