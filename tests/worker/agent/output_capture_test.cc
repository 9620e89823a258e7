#include "worker/agent/output_capture.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/store/memory_store.h"
#include "client/store/names.h"
#include "coord/base/random.h"
#include "gtest/gtest.h"
#include "master/records/codec.h"
#include "tests/worker/agent/agent_fixture.h"

namespace drover::worker::agent {
namespace {

using exec::Stream;
using std::chrono::milliseconds;

class OutputCaptureTest : public AgentTest {
 protected:
  OutputCaptureTest()
      : keeper_(
            master_->loop(), {.path = paths_.Store(), .url = "file:/s", .fresh_marker = "m"},
            [this](const std::string& url, bool) -> absl::StatusOr<std::unique_ptr<store::ObjectStore>> {
              return std::make_unique<store::MemoryStore>(master_->loop(), &stores_[url]);
            },
            [this] { return master_->session(); }) {
    capture_ = std::make_unique<OutputCapture>(master_->loop(), options_, &keeper_, "t", 9, [this](std::size_t n) { taken_ += n; });
  }
  void Append(Stream stream, const std::string& text) {
    appended_ += text.size();
    (stream == Stream::kOut ? out_ : err_) += text;
    capture_->Append(stream, base::Bytes::Copy(text));
  }
  v1::Output Finish(OutputCapture::Rest rest = OutputCapture::Rest::kIntoRecord) {
    std::optional<absl::StatusOr<v1::Output>> result;
    capture_->Finish(rest, [&](absl::StatusOr<v1::Output> output) { result = std::move(output); });
    Await([&] { return result.has_value(); }, "the output");
    EXPECT_TRUE((*result).ok()) << result->status();
    return (*result).value_or(v1::Output());
  }
  std::string Whole(const v1::OutputStream& stream, bool err) {
    std::string all;
    for (std::uint32_t i = 0; i < stream.chunks(); ++i)
      all += stores_["file:/s"].objects.at(store::OutputKey("t", 9, err ? store::Part::kErr : store::Part::kOut, i)).data;
    EXPECT_EQ(all.size() + stream.data().size(), stream.size());
    return all + stream.data();
  }
  std::size_t Chunks() {
    std::size_t count = 0;
    for (const auto& [key, object] : stores_["file:/s"].objects) count += key.rfind("output/", 0) == 0 ? 1 : 0;
    return count;
  }

  OutputOptions options_;
  pool::PoolStore keeper_;
  std::unique_ptr<OutputCapture> capture_;
  std::size_t taken_ = 0, appended_ = 0;
  std::string out_, err_;
};

TEST_F(OutputCaptureTest, NothingIsNothing) {
  const v1::Output output = Finish();
  EXPECT_FALSE(output.has_out());
  EXPECT_FALSE(output.has_err());
}

TEST_F(OutputCaptureTest, WhatJustFitsRidesInTheRecord) {
  capture_->Started();
  Append(Stream::kOut, std::string(700, 'o'));
  Append(Stream::kErr, std::string(68, 'e'));
  const v1::Output output = Finish();
  EXPECT_EQ(output.out().data(), out_);
  EXPECT_EQ(output.err().data(), err_);
  EXPECT_EQ(Chunks(), 0U);
}

TEST_F(OutputCaptureTest, OneByteMoreAndTheLargerStreamIsStored) {
  capture_->Started();
  Append(Stream::kOut, std::string(700, 'o'));
  Append(Stream::kErr, std::string(69, 'e'));
  const v1::Output output = Finish();
  EXPECT_EQ(output.out().chunks(), 1U);
  EXPECT_EQ(output.err().data(), err_);
  EXPECT_EQ(Whole(output.out(), false), out_);
}

TEST_F(OutputCaptureTest, ChunksAreWrittenWhenGatheredOrWhenTimeIsUp) {
  capture_->Started();
  Append(Stream::kOut, std::string(1000, 'o'));
  core_.world.RunFor(milliseconds(50));
  EXPECT_EQ(Chunks(), 0U);
  core_.world.RunFor(milliseconds(100));
  EXPECT_EQ(Chunks(), 1U);
  Append(Stream::kOut, std::string(options_.chunk_bytes, 'p'));
  core_.world.RunFor(milliseconds(5));
  EXPECT_EQ(Chunks(), 2U);
  EXPECT_EQ(Whole(Finish().out(), false), out_);
}

TEST_F(OutputCaptureTest, AYoungTasksSmallOutputWaitsUntilTheTaskIsOld) {
  capture_->Started();
  Append(Stream::kErr, "early");
  core_.world.RunFor(milliseconds(190));
  EXPECT_EQ(Chunks(), 0U);
  core_.world.RunFor(milliseconds(30));
  EXPECT_EQ(Chunks(), 1U);
}

TEST_F(OutputCaptureTest, WhereAnotherAttemptFollowsAllOfItIsStored) {
  capture_->Started();
  Append(Stream::kOut, "small");
  Append(Stream::kErr, "smaller still");
  const v1::Output output = Finish(OutputCapture::Rest::kIntoStore);
  EXPECT_EQ(output.out().data() + output.err().data(), "");
  EXPECT_EQ(Chunks(), 2U);
  EXPECT_EQ(Whole(output.out(), false), out_);
  EXPECT_EQ(Whole(output.err(), true), err_);
}

TEST_F(OutputCaptureTest, WhatTheStoreDoesNotTakeGoesIntoTheRecordIfItFits) {
  capture_->Started();
  Append(Stream::kOut, std::string(2'000, 'o'));
  core_.world.RunFor(milliseconds(300));
  ASSERT_EQ(Chunks(), 1U);
  stores_["file:/s"].failure = absl::UnavailableError("away");
  Append(Stream::kOut, "the end");
  core_.world.RunFor(milliseconds(150));  // being written
  Append(Stream::kOut, ", really");
  const v1::Output output = Finish(OutputCapture::Rest::kIntoStore);
  EXPECT_EQ(output.out().data(), "the end, really");
  EXPECT_EQ(output.out().chunks(), 1U);
  EXPECT_EQ(Whole(output.out(), false), out_);
  EXPECT_EQ(taken_, appended_);
}

TEST_F(OutputCaptureTest, AnyOutputComesBackWhole) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    base::SeededRandom random(seed);
    stores_["file:/s"].objects.erase(stores_["file:/s"].objects.lower_bound("output/"),
                                     stores_["file:/s"].objects.upper_bound("output0"));
    out_.clear();
    err_.clear();
    taken_ = appended_ = 0;
    capture_ = std::make_unique<OutputCapture>(master_->loop(), options_, &keeper_, "t", 9, [this](std::size_t n) { taken_ += n; });
    capture_->Started();
    for (std::uint64_t i = random.Below(30); i > 0; --i) {
      const std::size_t size = random.Below(2) == 0 ? random.Below(300) : random.Below(600'000);
      Append(random.Below(2) == 0 ? Stream::kOut : Stream::kErr, std::string(size, static_cast<char>('a' + i % 26)));
      if (random.Below(3) == 0) core_.world.RunFor(milliseconds(random.Below(150)));
      if (random.Below(10) == 0) stores_["file:/s"].failure = absl::UnavailableError("now and then");
      if (random.Below(3) == 0) stores_["file:/s"].failure = absl::OkStatus();
    }
    stores_["file:/s"].failure = absl::OkStatus();
    const bool stored = random.Below(2) == 0;
    const v1::Output output = Finish(stored ? OutputCapture::Rest::kIntoStore : OutputCapture::Rest::kIntoRecord);
    if (stored) {
      EXPECT_EQ(output.out().data() + output.err().data(), "") << "seed " << seed;
    }
    EXPECT_TRUE(Whole(output.out(), false) == out_) << "seed " << seed;
    EXPECT_TRUE(Whole(output.err(), true) == err_) << "seed " << seed;
    EXPECT_LE(output.out().data().size() + output.err().data().size(), options_.inline_bytes_max) << "seed " << seed;
    EXPECT_EQ(taken_, appended_) << "seed " << seed;
  }
}

}  // namespace
}  // namespace drover::worker::agent
