#include "tests/oracle/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/oracle/path_rule.h"

namespace drover::oracle {
namespace {

// As if everything succeeded.
Answer Success(const Operation& o) {
  Answer answer;
  if (o.path.size() > 4'000) return {.code = Code::kTooLarge};
  answer.path = o.sequential ? absl::StrCat(o.path, "0000000000") : o.path;
  if (o.kind == Kind::kMulti) {
    for (const Operation& part : o.parts) answer.parts.push_back(Success(part));
  } else if (o.kind != Kind::kChildren) {
    answer.stat = Stat();
  }
  return answer;
}

std::vector<Operation> Sequence(std::uint64_t seed, int operations) {
  Generator generator(seed, 4);
  std::vector<Operation> sequence;
  while (sequence.size() < static_cast<std::size_t>(operations)) {
    for (const Operation& o : generator.Next()) {
      sequence.push_back(o);
      generator.Told(o, Success(o));
    }
  }
  return sequence;
}

TEST(GeneratorTest, ASeedAndTheAnswersSayItAll) {
  EXPECT_EQ(Sequence(1, 2'000), Sequence(1, 2'000));
  EXPECT_NE(Sequence(1, 100), Sequence(2, 100));
}

TEST(GeneratorTest, ASlotIsOpenedBeforeAnythingIsAskedOfItAndAfterItWasClosed) {
  std::map<int, bool> open;
  for (const Operation& o : Sequence(3, 5'000)) {
    EXPECT_EQ(o.kind == Kind::kOpen, !open[o.session]) << ToWords(o);
    open[o.session] = o.kind != Kind::kClose && o.kind != Kind::kAbandon;
  }
}

TEST(GeneratorTest, EveryKindComesWithEveryFlag) {
  std::set<std::string> seen;
  std::vector<Operation> operations = Sequence(4, 60'000);
  for (const Operation& o : Sequence(5, 60'000)) operations.push_back(o);
  for (const Operation& o : operations) {
    seen.insert(std::string(KindName(o.kind)));
    if (o.kind == Kind::kCreate)
      seen.insert(absl::StrCat("create", o.ephemeral ? " ephemeral" : "", o.sequential ? " sequential" : "",
                               o.container ? " container" : "",
                               !o.ttl_ms.has_value() ? ""
                               : *o.ttl_ms > 0       ? " to live"
                                                     : " to live no time"));
    if (o.kind == Kind::kCreate || o.kind == Kind::kSet)
      seen.insert(!o.data.has_value() ? "null data" : o.data->empty() ? "no data" : "data");
    if (o.data.has_value() && o.data->size() > 1'000'000) seen.insert("large data");
    if (o.kind == Kind::kSet)
      seen.insert(o.version == kAnyVersion ? "any version" : o.version < 0 ? "negative version" : "a version");
    for (const Operation& part : o.parts) seen.insert(absl::StrCat("part ", KindName(part.kind)));
    if (!IsPathToCreate(o.path, o.sequential)) seen.insert("no path");
    if (o.path == "/") seen.insert(absl::StrCat(KindName(o.kind), " of the root"));
  }
  for (const char* what : {"open",
                           "close",
                           "abandon",
                           "create",
                           "delete",
                           "set",
                           "multi",
                           "get",
                           "exists",
                           "children",
                           "sync",
                           "watch",
                           "unwatch",
                           "create ephemeral",
                           "create sequential",
                           "create ephemeral sequential",
                           "create container",
                           "create to live",
                           "create sequential to live",
                           "create to live no time",
                           "null data",
                           "no data",
                           "data",
                           "large data",
                           "any version",
                           "negative version",
                           "a version",
                           "part check",
                           "part create",
                           "part delete",
                           "part set",
                           "no path",
                           "create of the root",
                           "delete of the root",
                           "set of the root",
                           "get of the root",
                           "children of the root"}) {
    EXPECT_EQ(seen.count(what), 1u) << what;
  }
}

TEST(GeneratorTest, ABurstIsOfOneSessionWhichNeitherBeginsNorEndsInIt) {
  Generator generator(9, 4);
  std::size_t longest = 0;
  int later_watches = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::vector<Operation> burst = generator.Next();
    longest = std::max(longest, burst.size());
    for (const Operation& o : burst) {
      EXPECT_EQ(o.session, burst.front().session);
      const bool alone = o.kind == Kind::kOpen || o.kind == Kind::kClose || o.kind == Kind::kAbandon || o.kind == Kind::kUnwatch ||
                         o.kind == Kind::kAuthenticate || o.kind == Kind::kSetAcl;
      EXPECT_FALSE(alone && burst.size() > 1) << ToWords(o);
      later_watches += o.kind == Kind::kWatch && &o != &burst.front() ? 1 : 0;
      generator.Told(o, Success(o));
    }
  }
  EXPECT_GE(longest, 8u);
  EXPECT_GT(later_watches, 0);
}

TEST(GeneratorTest, NoPathComesNearTheLimitButWhatCannotBe) {
  bool beyond = false;
  for (const Operation& o : Sequence(6, 20'000)) {
    std::vector<Operation> all = o.parts;
    all.push_back(o);
    for (const Operation& each : all) {
      if (each.path.size() + 10 < 4'000u) continue;
      beyond = true;
      EXPECT_EQ(each.path.substr(0, 3), "/mm");
      EXPECT_GT(each.path.size(), 4'096u);
    }
  }
  EXPECT_TRUE(beyond);
}

TEST(GeneratorTest, ATreeThatIsFullIsThinnedOut) {
  Generator generator(7, 4);
  std::size_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    for (const Operation& o : generator.Next()) generator.Told(o, Success(o));
    most = std::max(most, generator.nodes());
  }
  EXPECT_GT(most, 50u);
  EXPECT_LT(most, 400u);
}

TEST(GeneratorTest, WhatIsSaidToBeGoneIsForgottenWithAllBelow) {
  Generator generator(8, 1);
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a-b"}) {
    generator.Told({.kind = Kind::kCreate, .path = path}, Answer{.path = path});
  }
  EXPECT_EQ(generator.nodes(), 4u);
  generator.Told({.kind = Kind::kGet, .path = "/a"}, Answer{.code = Code::kNoNode});
  EXPECT_EQ(generator.nodes(), 1u);
}

}  // namespace
}  // namespace drover::oracle
