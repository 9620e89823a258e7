#include "master/server/orphan_sweeper.h"

#include <gtest/gtest.h>

#include "client/store/names.h"
#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

constexpr std::int64_t kHour = 3'600'000;

class OrphanSweeperTest : public ServerFixture {
 protected:
  OrphanSweeperTest() : sweeper_(&loop_, master_.get(), store_.get(), {}) {}
  void Put(const std::string& key) {
    store::MemoryStore(&loop_, &objects_).Put(key, base::Bytes::Copy("x"), [](const auto&) {});
  }
  // Time goes on, by the cluster and by the loop.
  void Pass(std::int64_t ms) {
    tree_.now_ms += ms;
    world_.RunFor(std::chrono::milliseconds(ms));
  }
  [[nodiscard]] bool Has(const std::string& key) const { return objects_.objects.count(key) == 1; }
  task::v1::TaskSpec ByReference(const std::string& id, const std::string& key) {
    task::v1::TaskSpec spec;
    spec.set_id(id);
    spec.mutable_program_object()->set_key(key);
    spec.mutable_program_object()->set_size(1);
    spec.mutable_program_object()->set_digest(std::string(16, 'd'));
    return spec;
  }
  OrphanSweeper sweeper_;
};

TEST_F(OrphanSweeperTest, AnUploadThatNoSubmissionFollowedGoesAfterADayAndNothingElseDoes) {
  Start();
  sweeper_.Start();
  for (const char* key : {"input/gone/1", "input/held/1", "input/held/2", "output/gone/7/out/00000000"}) Put(key);
  EXPECT_EQ(SubmitOne(ByReference("held", "input/held/1")).outcome(), task::v1::DONE);
  task::v1::TaskSpec with_input = Spec("read");
  Put("input/read/1");
  Put("input/read/2");
  with_input.mutable_program()->mutable_stdin_object()->set_key("input/read/1");
  with_input.mutable_program()->mutable_stdin_object()->set_digest(std::string(16, 'd'));
  EXPECT_EQ(SubmitOne(with_input).outcome(), task::v1::DONE);
  Pass(23 * kHour);
  EXPECT_EQ(sweeper_.removed(), 0U);
  Put("input/young/1");
  Pass(3 * kHour);
  EXPECT_FALSE(Has("input/gone/1"));
  EXPECT_FALSE(Has("input/read/2")) << "a second try's upload";
  EXPECT_TRUE(Has("input/held/1"));
  EXPECT_TRUE(Has("input/held/2")) << "the program may name it";
  EXPECT_TRUE(Has("input/read/1"));
  EXPECT_TRUE(Has("input/young/1"));
  EXPECT_TRUE(Has("output/gone/7/out/00000000"));
  EXPECT_TRUE(Has(std::string(store::kMarkerKey)));
  EXPECT_EQ(sweeper_.removed(), 2U);
}

TEST_F(OrphanSweeperTest, ManyAreSweptPageByPage) {
  Start();
  sweeper_.Start();
  for (std::uint64_t i = 0; i < 2'500; ++i) Put(store::InputKey("t" + std::to_string(i), i));
  Pass(26 * kHour);
  EXPECT_EQ(sweeper_.removed(), 2'500U);
  EXPECT_EQ(objects_.objects.size(), 1U) << "the marker";
}

TEST_F(OrphanSweeperTest, AMasterThatDoesNotLeadSweepsNothing) {
  Start();
  sweeper_.Start();
  Put("input/gone/1");
  session_->Expire();
  objects_.objects.at("input/gone/1").modified = base::WallTime(1);
  tree_.Create(paths_.CandidatePrefix() + "0000000000", "");  // another one is elected meanwhile
  Pass(26 * kHour);
  EXPECT_FALSE(master_->serving());
  EXPECT_TRUE(Has("input/gone/1"));
}

TEST_F(OrphanSweeperTest, ARecordThatCameWhileItsUploadsWereListedKeepsThem) {
  Start();
  Put("input/late/1");
  objects_.objects.at("input/late/1").modified = base::WallTime(tree_.now_ms - 25 * kHour);
  sweeper_.Start();
  // Made by another master while this one slept: the view does not show it before the core was asked.
  hang_.lists = true;
  Pass(2 * kHour);
  ASSERT_EQ(hang_.kept.size(), 1U);
  worker::v1::TaskRecord record;
  record.set_state(task::v1::READY);
  record.mutable_program_object()->set_key("input/late/1");
  tree_.Create(paths_.Task("late"), records::Encode(record));
  ASSERT_EQ(master_->view().Find("late"), nullptr) << "the view knows already";
  hang_.LetGo();
  Pass(3 * kHour);
  EXPECT_TRUE(Has("input/late/1"));
  EXPECT_EQ(sweeper_.removed(), 0U);
}

TEST_F(OrphanSweeperTest, AStoreThatFailsIsSweptLater) {
  Start();
  sweeper_.Start();
  Put("input/gone/1");
  objects_.failure = absl::UnavailableError("away");
  Pass(30 * kHour);
  objects_.failure = absl::OkStatus();
  EXPECT_TRUE(Has("input/gone/1"));
  Pass(2 * kHour);
  EXPECT_FALSE(Has("input/gone/1"));
}

}  // namespace
}  // namespace drover::master::server
