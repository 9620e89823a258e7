#include "client/store/memory_store.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/client/store/calls.h"

namespace drover::store {
namespace {

// As much of a loop as the store needs.
class PostedLoop final : public base::Loop {
 public:
  [[nodiscard]] base::Instant Now() const override { return {}; }
  [[nodiscard]] base::WallTime WallNow() const override { return base::WallTime(42); }
  void Post(base::Task task) override { tasks_.push_back(std::move(task)); }
  void PostFromAnyThread(base::Task task) override { tasks_.push_back(std::move(task)); }
  base::TimerId After(base::Duration, base::Task) override { return {}; }
  void Cancel(base::TimerId) override {}

  void Run() {
    while (!tasks_.empty()) {
      base::Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

 private:
  std::deque<base::Task> tasks_;
};

class MemoryStoreTest : public ::testing::Test {
 protected:
  absl::StatusCode PutCode(const std::string& key, const std::string& data) {
    absl::StatusCode code = absl::StatusCode::kUnknown;
    store_->Put(key, base::Bytes::Copy(data), [&](absl::StatusOr<ObjectRef> r) { code = r.status().code(); });
    loop_.Run();
    return code;
  }
  absl::StatusOr<std::string> GetData(const std::string& key, Range range = {}) {
    absl::StatusOr<std::string> result = absl::UnknownError("not completed");
    store_->Get(key, range, [&](absl::StatusOr<GetResult> r) {
      if (r.ok()) {
        result = r->data.ToString();
      } else {
        result = r.status();
      }
    });
    loop_.Run();
    return result;
  }

  PostedLoop loop_;
  MemoryObjects objects_;
  std::unique_ptr<MemoryStore> store_ = std::make_unique<MemoryStore>(&loop_, &objects_);
};

TEST_F(MemoryStoreTest, KeepsTheContract) {
  EXPECT_EQ(PutCode("a/b", "data"), absl::StatusCode::kOk);
  EXPECT_EQ(PutCode("a/b", "other"), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(PutCode("../b", "x"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*GetData("a/b"), "data");
  EXPECT_EQ(*GetData("a/b", {1, 2}), "at");
  EXPECT_EQ(*GetData("a/b", {9, 2}), "");
  EXPECT_TRUE(absl::IsNotFound(GetData("a").status()));
  objects_.object_bytes_max = 2;
  EXPECT_EQ(PutCode("c", "abc"), absl::StatusCode::kResourceExhausted);
}

TEST_F(MemoryStoreTest, InjectedDamageAndFailureShow) {
  EXPECT_EQ(PutCode("k", "data"), absl::StatusCode::kOk);
  objects_.objects["k"].data[0] = 'D';
  EXPECT_TRUE(absl::IsDataLoss(GetData("k").status()));
  objects_.failure = absl::ResourceExhaustedError("disk full");
  EXPECT_EQ(PutCode("l", "x"), absl::StatusCode::kResourceExhausted);
}

TEST_F(MemoryStoreTest, NothingCompletesInsideTheCallOrAfterTheStoreIsGone) {
  bool completed = false;
  store_->Put("k", base::Bytes::Copy("x"), [&](absl::StatusOr<ObjectRef>) { completed = true; });
  EXPECT_FALSE(completed);
  store_.reset();
  loop_.Run();
  EXPECT_FALSE(completed);
}

}  // namespace
}  // namespace drover::store
