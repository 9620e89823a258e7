#include "coord/tree/reaper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ReaperTest : public testing::Test {
 protected:
  static CreateView Mortal(absl::string_view path, std::uint64_t ttl_ms) {
    CreateView create{path};
    create.ttl_ms = ttl_ms;
    return create;
  }
  std::vector<std::string> Next() {
    std::vector<std::string> paths;
    for (const Reaper::Due& due : reaper_.Next(machine_->tree(), base::WallTime(machine_.now_ms))) {
      EXPECT_EQ(due.czxid, machine_.StatOf(due.path).czxid);
      paths.push_back(due.path);
    }
    return paths;
  }

  Machine machine_;
  Reaper reaper_{{.visits_max = 3, .due_max = 2}};
};

TEST_F(ReaperTest, GoesRoundAfterRoundInParts) {
  EXPECT_THAT(Next(), IsEmpty());
  for (const char* path : {"/a", "/b", "/c", "/d", "/e"}) machine_.Unary(EncodeCreate({}, Mortal(path, path[1] == 'c' ? 1 : 500)));
  machine_.Create("/plain");
  machine_.now_ms += 10;
  EXPECT_THAT(Next(), ElementsAre("/c"));
  EXPECT_THAT(Next(), IsEmpty()) << "d and e";
  EXPECT_THAT(Next(), ElementsAre("/c")) << "nobody has deleted it: another round names it again";
  machine_.now_ms += 1'000;
  EXPECT_THAT(Next(), ElementsAre("/d", "/e"));
  EXPECT_THAT(Next(), ElementsAre("/a", "/b")) << "two are enough for one time";
  EXPECT_THAT(Next(), ElementsAre("/c", "/d"));
}

TEST_F(ReaperTest, ThoseOfOneTransactionComeTogether) {
  TransactionBuilder t;
  for (const char* path : {"/a", "/b", "/c", "/d"}) t.Then(Mortal(path, 1));
  machine_.Unary(t.Encode({}));
  machine_.Unary(EncodeCreate({}, Mortal("/e", 1)));
  machine_.now_ms += 10;
  EXPECT_THAT(Next(), ElementsAre("/a", "/b", "/c", "/d"));
  EXPECT_THAT(Next(), ElementsAre("/e"));
}

TEST_F(ReaperTest, ANodeThatHasGoneMeanwhileIsNoTrouble) {
  for (const char* path : {"/a", "/b", "/c", "/d"}) machine_.Unary(EncodeCreate({}, Mortal(path, 500)));
  EXPECT_THAT(Next(), IsEmpty());
  machine_.Delete("/d");
  machine_.now_ms += 1'000;
  EXPECT_THAT(Next(), IsEmpty()) << "the end of a round";
  EXPECT_THAT(Next(), ElementsAre("/a", "/b"));
}

}  // namespace
}  // namespace drover::coord::tree
