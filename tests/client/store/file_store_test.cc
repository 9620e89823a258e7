#include "client/store/file_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <utime.h>

#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/store/inline_executor.h"
#include "coord/base/random.h"
#include "tests/client/store/calls.h"
#include "tests/client/store/temp_directory.h"

namespace drover::store {
namespace {

// Work waits until the test runs it, as a slow disk would make it wait.
class HeldExecutor final : public base::Executor {
 public:
  void Submit(base::Task work, base::Task done) override { held_.emplace_back(std::move(work), std::move(done)); }
  bool RunOne() {
    if (held_.empty()) return false;
    auto [work, done] = std::move(held_.front());
    held_.pop_front();
    work();
    done();
    return true;
  }
  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  std::deque<std::pair<base::Task, base::Task>> held_;
};

class FileStoreTest : public ::testing::Test {
 protected:
  static std::unique_ptr<ObjectStore> Open(const std::string& path, base::Executor* executor, const OpenOptions& options = {}) {
    auto store = OpenStore("file:" + path, executor, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  TempDirectory directory_;
  InlineExecutor executor_;
  std::unique_ptr<ObjectStore> store_ = Open(directory_.path(), &executor_);
};

TEST_F(FileStoreTest, WhatWasPutIsRead) {
  auto ref = Put(store_.get(), "output/t1/17/out/00000000", "hello");
  ASSERT_TRUE(ref.ok()) << ref.status();
  EXPECT_EQ(*ref, (ObjectRef{"output/t1/17/out/00000000", 5, DigestOf("hello")}));
  EXPECT_EQ(*Get(store_.get(), ref->key), "hello");
  EXPECT_EQ(*Get(store_.get(), ref->key, {1, 3}), "ell");
  // A person finds the bytes in the file.
  std::ifstream file(directory_.path() + "/objects/output/t1/17/out/00000000@");
  std::string head(5, '\0');
  file.read(head.data(), 5);
  EXPECT_EQ(head, "hello");
}

TEST_F(FileStoreTest, ASecondPutIsRefusedAndChangesNothing) {
  ASSERT_TRUE(Put(store_.get(), "k", "first").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Put(store_.get(), "k", "second").status()));
  EXPECT_TRUE(absl::IsAlreadyExists(Put(store_.get(), "k", "first").status()));
  EXPECT_EQ(*Get(store_.get(), "k"), "first");
}

TEST_F(FileStoreTest, OfManyWritersOfOneKeyExactlyOneWins) {
  constexpr int kWriters = 8, kKeys = 20;
  std::vector<std::set<int>> wins(kKeys);
  std::vector<std::vector<int>> won(kWriters);
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([this, w, &won] {
      InlineExecutor executor;
      auto store = OpenStore("file:" + directory_.path(), &executor);
      for (int k = 0; k < kKeys; ++k) {
        if (Put(store->get(), absl::StrCat("race/", k), absl::StrCat("writer ", w)).ok())
          won[static_cast<std::size_t>(w)].push_back(k);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int w = 0; w < kWriters; ++w) {
    for (int k : won[static_cast<std::size_t>(w)]) wins[static_cast<std::size_t>(k)].insert(w);
  }
  for (int k = 0; k < kKeys; ++k) {
    ASSERT_EQ(wins[static_cast<std::size_t>(k)].size(), 1u) << k;
    EXPECT_EQ(*Get(store_.get(), absl::StrCat("race/", k)), absl::StrCat("writer ", *wins[static_cast<std::size_t>(k)].begin()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/tmp"));
}

TEST_F(FileStoreTest, AKeyAndKeysBelowItMayBothExist) {
  ASSERT_TRUE(Put(store_.get(), "a", "1").ok());
  ASSERT_TRUE(Put(store_.get(), "a/b", "2").ok());
  ASSERT_TRUE(Put(store_.get(), "a/b/c", "3").ok());
  EXPECT_EQ(*Get(store_.get(), "a"), "1");
  EXPECT_EQ(*Get(store_.get(), "a/b"), "2");
  EXPECT_EQ(*Get(store_.get(), "a/b/c"), "3");
}

TEST_F(FileStoreTest, BadKeysReachNoFile) {
  for (const char* key : {"", "../escape", "a/../../b", "/etc/passwd", "a@"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Put(store_.get(), key, "x").status())) << key;
    EXPECT_TRUE(absl::IsInvalidArgument(Get(store_.get(), key).status())) << key;
    EXPECT_TRUE(absl::IsInvalidArgument(Delete(store_.get(), {key}))) << key;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(List(store_.get(), "../").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(List(store_.get(), "", "", 0).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(List(store_.get(), "", "", kListLimitMax + 1).status()));
}

TEST_F(FileStoreTest, AMissingObjectIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Get(store_.get(), "no/such").status()));
  EXPECT_TRUE(Delete(store_.get(), {"no/such"}).ok());
}

TEST_F(FileStoreTest, OverTheSizeLimitIsRefused) {
  auto store = Open(directory_.path(), &executor_, {.object_bytes_max = 10});
  EXPECT_TRUE(Put(store.get(), "ten", std::string(10, 'x')).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Put(store.get(), "eleven", std::string(11, 'x')).status()));
}

TEST_F(FileStoreTest, LeftoversOfACrashedWriterAreNeverSeenAndGoWhenOld) {
  const std::string young = directory_.path() + "/tmp/young", old = directory_.path() + "/tmp/old";
  std::ofstream(young) << "half an obj";
  std::ofstream(old) << "half an obj";
  const struct utimbuf day_before_yesterday = {std::time(nullptr) - 2 * 86400, std::time(nullptr) - 2 * 86400};
  ASSERT_EQ(utime(old.c_str(), &day_before_yesterday), 0);
  auto reopened = Open(directory_.path(), &executor_);
  EXPECT_TRUE(List(reopened.get(), "")->objects.empty());
  EXPECT_TRUE(std::filesystem::exists(young));
  EXPECT_FALSE(std::filesystem::exists(old));
}

TEST_F(FileStoreTest, DamageIsFound) {
  ASSERT_TRUE(Put(store_.get(), "k", "hello world").ok());
  std::fstream(directory_.path() + "/objects/k@", std::ios::in | std::ios::out | std::ios::binary).seekp(4).put('X');
  EXPECT_TRUE(absl::IsDataLoss(Get(store_.get(), "k").status()));
  EXPECT_TRUE(absl::IsDataLoss(Get(store_.get(), "k", {0, 1}).status()));
}

TEST_F(FileStoreTest, ADiskThatTakesNoMoreIsResourceExhaustedAndLeavesNothing) {
  struct rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const absl::Status status = Put(store_.get(), "big", std::string(5000, 'x')).status();
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/tmp"));
  EXPECT_TRUE(absl::IsNotFound(Get(store_.get(), "big").status()));
  EXPECT_TRUE(Put(store_.get(), "big", std::string(5000, 'x')).ok());
}

TEST_F(FileStoreTest, ListsByBytesOfTheKeyAPageAtATime) {
  std::set<std::string> all = {"a", "a-b/x", "a.b", "a/x", "a/y/z", "a0", "b/1", "b/10", "b/2", "b-1"};
  for (const std::string& key : all) ASSERT_TRUE(Put(store_.get(), key, key).ok());
  EXPECT_EQ(Keys(*List(store_.get(), "")), std::vector<std::string>(all.begin(), all.end()));

  for (std::size_t limit = 1; limit <= all.size() + 1; ++limit) {
    std::vector<std::string> seen;
    std::string after;
    while (true) {
      auto page = List(store_.get(), "", after, limit);
      ASSERT_TRUE(page.ok());
      for (const std::string& key : Keys(*page)) seen.push_back(key);
      if (!page->more) break;
      ASSERT_EQ(page->objects.size(), limit);
      after = seen.back();
    }
    EXPECT_EQ(seen, std::vector<std::string>(all.begin(), all.end())) << limit;
  }
}

TEST_F(FileStoreTest, ListsOnlyWhatBeginsWithThePrefix) {
  base::SeededRandom random(3);
  std::set<std::string> all;
  for (int i = 0; i < 60; ++i) {
    std::string key;
    for (std::uint64_t parts = 1 + random.Below(3), p = 0; p < parts; ++p) {
      if (p > 0) key += '/';
      for (std::uint64_t n = 1 + random.Below(3), j = 0; j < n; ++j)
        key += j == 0 ? "ab"[random.Below(2)] : "ab.-"[random.Below(4)];
    }
    all.insert(key);
    (void)Put(store_.get(), key, key).ok();
  }
  for (const char* prefix : {"", "a", "a/", "ab", "b/a", "b/a/", "a.", "b-a/b"}) {
    for (const char* after : {"", "a", "a/b", "ab/", "b"}) {
      std::vector<std::string> expected;
      for (const std::string& key : all) {
        if (absl::StartsWith(key, prefix) && key > after) expected.push_back(key);
      }
      auto page = List(store_.get(), prefix, after);
      ASSERT_TRUE(page.ok()) << page.status();
      EXPECT_EQ(Keys(*page), expected) << prefix << " after " << after;
      for (const Listed& listed : page->objects) EXPECT_EQ(listed.size, listed.key.size());
    }
  }
}

TEST_F(FileStoreTest, DeleteRemovesObjectsAndTheDirectoriesTheyLeaveEmpty) {
  ASSERT_TRUE(Put(store_.get(), "output/t1/5/out/00000000", "x").ok());
  ASSERT_TRUE(Put(store_.get(), "output/t1/5/out/00000001", "y").ok());
  ASSERT_TRUE(Put(store_.get(), "output/t2", "z").ok());
  ASSERT_TRUE(Delete(store_.get(), {"output/t1/5/out/00000000", "output/t1/5/out/00000001"}).ok());
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/objects/output/t1"));
  EXPECT_EQ(Keys(*List(store_.get(), "")), std::vector<std::string>{"output/t2"});
  // A later put makes them again.
  EXPECT_TRUE(Put(store_.get(), "output/t1/6/out/00000000", "x").ok());
}

TEST_F(FileStoreTest, PutsThatComeTogetherAreOneBatch) {
  HeldExecutor executor;
  auto store = Open(directory_.path(), &executor);
  std::vector<std::string> results;
  for (int i = 0; i < 10; ++i) {
    const std::string key = i == 7 ? "bad key" : absl::StrCat("batch/", i % 6 == 5 ? 0 : i);
    store->Put(key, base::Bytes::Copy(absl::StrCat("v", i)), [&results, i](absl::StatusOr<ObjectRef> r) {
      results.push_back(absl::StrCat(i, " ", absl::StatusCodeToString(r.status().code())));
    });
  }
  EXPECT_EQ(executor.held(), 1u);  // the first; nine gather
  EXPECT_TRUE(executor.RunOne());
  EXPECT_EQ(executor.held(), 1u);
  EXPECT_TRUE(executor.RunOne());
  EXPECT_FALSE(executor.RunOne());
  EXPECT_EQ(results, (std::vector<std::string>{"0 OK", "1 OK", "2 OK", "3 OK", "4 OK", "5 ALREADY_EXISTS", "6 OK",
                                               "7 INVALID_ARGUMENT", "8 OK", "9 OK"}));
  EXPECT_EQ(*Get(store_.get(), "batch/0"), "v0");
  EXPECT_EQ(*Get(store_.get(), "batch/9"), "v9");
}

TEST_F(FileStoreTest, ADestroyedStoreCompletesNothing) {
  HeldExecutor executor;
  auto store = Open(directory_.path(), &executor);
  bool completed = false;
  store->Put("k", base::Bytes::Copy("x"), [&](absl::StatusOr<ObjectRef>) { completed = true; });
  store->Get("k", {}, [&](absl::StatusOr<GetResult>) { completed = true; });
  store.reset();
  while (executor.RunOne()) {
  }
  EXPECT_FALSE(completed);
}

TEST_F(FileStoreTest, ACompletionMayDestroyTheStore) {
  HeldExecutor executor;
  auto store = Open(directory_.path(), &executor);
  int completed = 0;
  for (int i = 0; i < 3; ++i) {
    store->Put(absl::StrCat("k", i), base::Bytes::Copy("x"), [&](absl::StatusOr<ObjectRef>) {
      ++completed;
      store.reset();
    });
  }
  while (executor.RunOne()) {
  }
  EXPECT_EQ(completed, 1);
}

}  // namespace
}  // namespace drover::store
