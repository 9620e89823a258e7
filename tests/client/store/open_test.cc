#include <gtest/gtest.h>

#include <filesystem>

#include "client/store/inline_executor.h"
#include "client/store/object_store.h"
#include "tests/client/store/calls.h"
#include "tests/client/store/temp_directory.h"

namespace drover::store {
namespace {

TEST(OpenTest, UrlsThatNameNoStoreAreRefusedWithASentence) {
  const struct {
    const char* url;
    absl::StatusCode code;
  } table[] = {
      {"", absl::StatusCode::kInvalidArgument},          {"/tmp/store", absl::StatusCode::kInvalidArgument},
      {"file:", absl::StatusCode::kInvalidArgument},     {"file:relative", absl::StatusCode::kInvalidArgument},
      {"file:/", absl::StatusCode::kInvalidArgument},    {"http://x", absl::StatusCode::kInvalidArgument},
      {"s3://bucket", absl::StatusCode::kUnimplemented},
  };
  InlineExecutor executor;
  for (const auto& row : table) {
    EXPECT_EQ(CheckUrl(row.url).code(), row.code) << row.url;
    EXPECT_EQ(OpenStore(row.url, &executor).status().code(), row.code) << row.url;
  }
  EXPECT_NE(CheckUrl("s3://bucket").message().find("file:/absolute/path"), absl::string_view::npos);
}

TEST(OpenTest, MakesItsDirectoriesOnlyWhenTold) {
  TempDirectory directory;
  InlineExecutor executor;
  const std::string url = "file:" + directory.path() + "/deep/store";
  EXPECT_TRUE(absl::IsNotFound(OpenStore(url, &executor, {.create = false}).status()));
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/deep"));
  ASSERT_TRUE(OpenStore(url, &executor).ok());
  EXPECT_TRUE(OpenStore(url, &executor, {.create = false}).ok());
}

TEST(OpenTest, BothSpellingsOfAFileUrlAreTheSameStore) {
  TempDirectory directory;
  InlineExecutor executor;
  auto a = OpenStore("file:" + directory.path() + "/s", &executor);
  auto b = OpenStore("file://" + directory.path() + "/s/", &executor);
  ASSERT_TRUE(a.ok() && b.ok());
  ASSERT_TRUE(Put(a->get(), "k", "v").ok());
  EXPECT_EQ(*Get(b->get(), "k"), "v");
}

}  // namespace
}  // namespace drover::store
