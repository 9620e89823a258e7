// The blocking facade and the status call over real links, against a real node in this process.
#include "drover/coord/blocking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/file_system.h"
#include "coord/base/random.h"
#include "coord/base/thread_executor.h"
#include "coord/server/member_process.h"
#include "coord/server/services.h"
#include "coord/transport/cq_loop.h"
#include "drover/coord/reader.h"
#include "drover/coord/session_closer.h"

namespace drover::coord {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// A node with its own loop thread, disk thread and directory; stopped and started again on the same data and port.
class RealCore {
 public:
  RealCore() : directory_(absl::StrCat(::testing::TempDir(), "/blocking_test.", getpid())) { Start("127.0.0.1:0"); }
  ~RealCore() {
    Stop();
    std::filesystem::remove_all(directory_);
  }
  void Start(const std::string& listen) {
    thread_ = std::make_unique<transport::LoopThread>();
    disk_ = std::make_unique<base::ThreadExecutor>(thread_->loop(), base::ThreadExecutor::Options{"disk"});
    thread_->RunOnLoop([this, &listen] {
      services_ = std::make_unique<server::Services>(thread_->loop(), transport::ServerOptions{.listen = listen}, "");
      server::NodeSeams seams;
      seams.loop = thread_->loop();
      seams.disk = disk_.get();
      seams.files = files_.get();
      seams.random = &random_;
      server::NodeOptions options;
      options.id = base::NodeId(1);
      options.address = "127.0.0.1:1";
      options.data_directory = directory_;
      auto opened = server::MemberProcess::Open(seams, options, {});
      ASSERT_TRUE(opened.ok()) << opened.status();
      process_ = *std::move(opened);
      const absl::Status served = services_->Start(process_.get());
      ASSERT_TRUE(served.ok()) << served;
      address_ = services_->address();
      process_->Start();
    });
  }
  void Stop() {
    if (thread_ == nullptr) return;
    std::promise<void> down;
    thread_->RunOnLoop([this, &down] {
      process_->Stop();
      services_->Shutdown(milliseconds(100), [&down] { down.set_value(); });
    });
    down.get_future().wait();
    thread_->RunOnLoop([this] {
      process_.reset();
      services_.reset();
    });
    disk_.reset();
    thread_.reset();
  }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  const std::string directory_;
  const std::unique_ptr<base::FileSystem> files_ = base::NewRealFileSystem();
  base::SystemRandom random_;
  std::unique_ptr<transport::LoopThread> thread_;
  std::unique_ptr<base::ThreadExecutor> disk_;
  std::unique_ptr<server::Services> services_;
  std::unique_ptr<server::MemberProcess> process_;
  std::string address_;
};

class BlockingClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<BlockingClient> Connect(base::Duration call_timeout = seconds(20)) {
    auto client = BlockingClient::Connect({.session = {.endpoints = {core_.address()}}, .call_timeout = call_timeout});
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  RealCore core_;
};

TEST_F(BlockingClientTest, WritesAndReads) {
  auto client = Connect();
  const auto made = client->Create("/a/b", "1", {.parents = true});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->path, "/a/b");
  EXPECT_TRUE(IsNodeExists(client->Create("/a/b", "2").status()));
  EXPECT_TRUE(client->Set("/a/b", "2", 0).ok());
  EXPECT_TRUE(IsBadVersion(client->Set("/a/b", "3", 0).status()));
  const auto got = client->Get("/a/b");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->node.path, "/a/b");
  EXPECT_EQ(got->node.data, "2");
  EXPECT_EQ(got->node.stat.version, 1U);
  EXPECT_FALSE(client->Exists("/nothing")->stat.has_value());
  EXPECT_TRUE(IsNoNode(client->Get("/nothing").status()));

  const auto committed = client->Commit({.compares = {Compare::Czxid("/a/b", made->zxid)},
                                         .then = {Operation::Create("/a/c", "x"), Operation::Set("/a/b", "4")},
                                         .otherwise = {}});
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_TRUE(committed->succeeded);
  EXPECT_EQ(committed->results[0].path, "/a/c");
  const absl::Status refused =
      client->Commit({.compares = {}, .then = {Operation::Set("/a/b", "5"), Operation::Create("/a/c", "")}, .otherwise = {}})
          .status();
  EXPECT_TRUE(IsNodeExists(refused)) << refused;
  EXPECT_EQ(RefusedOperation(refused), std::size_t{1});
  EXPECT_EQ(client->Get("/a/b")->node.data, "4") << "the branch is atomic";

  EXPECT_THAT(*client->Children("/a"), ElementsAre("b", "c"));
  EXPECT_EQ(client->List("/a")->size(), 3U);
  EXPECT_EQ(client->List("/a", 2)->size(), 2U);
  EXPECT_GE(*client->Sync(), committed->zxid);
  EXPECT_TRUE(client->Delete("/a/c").ok());
  EXPECT_TRUE(IsNotEmpty(client->Delete("/a").status()));
}

TEST_F(BlockingClientTest, ListsPageByPage) {
  auto client = Connect();
  const std::string data(200'000, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client->Create(absl::StrCat("/big/n", 10 + i), data, {.parents = true}).ok());
  const auto nodes = client->List("/big");
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  ASSERT_EQ(nodes->size(), 21U);
  EXPECT_EQ(nodes->back().path, "/big/n29");
  EXPECT_EQ(nodes->back().data, data);
}

TEST_F(BlockingClientTest, WatchesUntilTheCallerHasEnough) {
  auto watcher = Connect();
  auto writer = Connect();
  std::vector<std::string> seen;
  std::atomic<bool> enough = false;
  std::thread writes([&] {
    for (int i = 0; !enough; ++i) ASSERT_TRUE(writer->Create(absl::StrCat("/w/", i), "x", {.parents = true}).ok());
  });
  const absl::Status status = watcher->Watch(
      "/w", {},
      [&](const Event& event) {
        seen.push_back(event.data);
        return seen.size() < 3;
      },
      nullptr);
  enough = true;
  writes.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_TRUE(watcher
                  ->Watch(
                      "/w", {}, [](const Event&) { return true; }, [] { return true; })
                  .ok());
  const absl::Status refused = watcher->Watch(
      "not a path", {}, [](const Event&) { return true; }, nullptr);
  EXPECT_EQ(RefusalOf(refused), Code::kInvalidArgument);
  EXPECT_EQ(refused.message(), "INVALID_ARGUMENT: a path begins with \"/\"");
}

TEST_F(BlockingClientTest, CloseEndsTheEphemerals) {
  auto client = Connect();
  auto other = Connect();
  ASSERT_TRUE(client->Create("/e", "", {.ephemeral = true}).ok());
  EXPECT_TRUE(client->Close().ok());
  EXPECT_FALSE(other->Exists("/e")->stat.has_value());
  EXPECT_TRUE(IsSessionExpired(client->Get("/e").status()));
  ASSERT_TRUE(other->Create("/f", "", {.ephemeral = true}).ok());
  other.reset();
  EXPECT_FALSE(Connect()->Exists("/f")->stat.has_value()) << "destruction closes too";
}

TEST_F(BlockingClientTest, ATicketClosesTheSessionOfAnother) {
  auto client = Connect();
  ASSERT_TRUE(client->Create("/e", "", {.ephemeral = true}).ok());
  const SessionTicket ticket = client->ticket();
  const absl::Status closed = CloseSessionByTicket(ticket, {.endpoints = {core_.address()}}, seconds(20));
  EXPECT_TRUE(closed.ok()) << closed;
  EXPECT_FALSE(Connect()->Exists("/e")->stat.has_value());
}

TEST_F(BlockingClientTest, ACallWaitsForACoreThatIsRestarted) {
  auto client = Connect();
  ASSERT_TRUE(client->Create("/a", "1").ok());
  const std::string address = core_.address();
  core_.Stop();
  std::atomic<bool> answered = false;
  absl::Status status;
  std::thread call([&] {
    status = client->Set("/a", "2").status();
    answered = true;
  });
  EXPECT_FALSE(answered);
  core_.Start(address);
  call.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(client->Get("/a")->node.data, "2");
  EXPECT_FALSE(client->expired());
}

TEST_F(BlockingClientTest, WithoutAServerItSaysSoInTime) {
  const std::string address = core_.address();
  auto client = Connect(milliseconds(300));
  core_.Stop();
  const auto nobody = BlockingClient::Connect({.session = {.endpoints = {address}}, .call_timeout = milliseconds(300)});
  EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable) << nobody.status();
  const absl::Status read = client->Get("/").status();
  EXPECT_EQ(read.code(), absl::StatusCode::kDeadlineExceeded) << read;
  EXPECT_FALSE(IsOutcomeUnknown(read));
  EXPECT_FALSE(FetchNodeStatus(address, milliseconds(300)).ok());
}

TEST_F(BlockingClientTest, AReaderReadsWithoutASession) {
  {
    auto client = Connect();
    ASSERT_TRUE(client->Create("/a/b", "1", {.parents = true}).ok());
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client->Create("/a/n-", "", {.sequential = true}).ok());
  }
  Reader reader({"127.0.0.1:1", core_.address()});
  const auto got = reader.Get("/a/b", seconds(10));
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->node.path, "/a/b");
  EXPECT_EQ(got->node.data, "1");
  EXPECT_TRUE(IsNoNode(reader.Get("/nothing", seconds(10)).status()));
  EXPECT_FALSE(reader.Exists("/nothing", seconds(10))->stat.has_value());
  EXPECT_EQ(reader.Exists("/a", seconds(10))->stat->num_children, 4U);
  EXPECT_THAT(*reader.Children("/a", seconds(10)), ElementsAre("b", "n-0000000001", "n-0000000002", "n-0000000003"));
  EXPECT_EQ(FetchNodeStatus(core_.address(), seconds(10))->sessions, 0U);
  core_.Stop();
  const absl::Status nobody = reader.Get("/a/b", milliseconds(300)).status();
  EXPECT_EQ(nobody.code(), absl::StatusCode::kUnavailable) << nobody;
}

TEST_F(BlockingClientTest, FetchesANodesStatus) {
  auto client = Connect();
  const auto status = FetchNodeStatus(core_.address(), seconds(10));
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->node_id, 1U);
  EXPECT_EQ(status->role, "leader");
  EXPECT_EQ(status->sessions, 1U);
}

TEST_F(BlockingClientTest, ManyThreadsMayCallAtOnce) {
  auto client = Connect();
  ASSERT_TRUE(client->Create("/t", "").ok());
  std::vector<std::thread> threads;
  std::atomic<int> made = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) made += client->Create("/t/n-", "", {.sequential = true}).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 200);
  EXPECT_EQ(client->Children("/t")->size(), 200U);
}

}  // namespace
}  // namespace drover::coord
