#include <gtest/gtest.h>

#include "client/store/inline_executor.h"
#include "client/store/object_store.h"
#include "tests/client/store/calls.h"
#include "tests/client/store/temp_directory.h"

namespace drover::store {
namespace {

class MarkerTest : public ::testing::Test {
 protected:
  std::string Ensure(const std::string& fresh) {
    std::string marker = "not completed";
    EnsureMarker(store_.get(), fresh, [&](absl::StatusOr<std::string> r) { marker = r.ok() ? *r : r.status().ToString(); });
    return marker;
  }
  absl::Status Check(const std::string& expected) {
    absl::Status status = absl::UnknownError("not completed");
    CheckMarker(store_.get(), expected, [&](absl::Status s) { status = std::move(s); });
    return status;
  }

  TempDirectory directory_;
  InlineExecutor executor_;
  std::unique_ptr<ObjectStore> store_ = *OpenStore("file:" + directory_.path(), &executor_);
};

TEST_F(MarkerTest, TheFirstOneStands) {
  EXPECT_EQ(Ensure("first"), "first");
  EXPECT_EQ(Ensure("second"), "first");
  EXPECT_TRUE(Check("first").ok());
}

TEST_F(MarkerTest, AnotherStoreIsRefused) {
  Ensure("first");
  EXPECT_EQ(Check("other").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MarkerTest, AStoreWithoutAMarkerIsRefused) {
  EXPECT_EQ(Check("first").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MarkerTest, AReferenceMustMatchWhatIsStored) {
  auto ref = Put(store_.get(), "k", "data");
  ASSERT_TRUE(ref.ok());
  absl::Status status;
  GetObject(store_.get(), *ref, [&](absl::StatusOr<base::Bytes> r) {
    status = r.status();
    EXPECT_EQ(r->view(), "data");
  });
  EXPECT_TRUE(status.ok());
  ref->digest = DigestOf("other");
  GetObject(store_.get(), *ref, [&](absl::StatusOr<base::Bytes> r) { status = r.status(); });
  EXPECT_TRUE(absl::IsDataLoss(status));
}

}  // namespace
}  // namespace drover::store
