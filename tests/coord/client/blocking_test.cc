// The blocking facade and the status call over real links, against a real node in this process.
#include "drover/coord/blocking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
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
      options.found_after = base::Duration::zero();
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

  static bool Eventually(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
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

TEST_F(BlockingClientTest, ProvesWhoItIsAndIsKeptOutElsewhere) {
  auto nobody = Connect();
  auto ann = BlockingClient::Connect({.session = {.endpoints = {core_.address()}}, .auth = {{"digest", "ann:secret"}}});
  ASSERT_TRUE(ann.ok()) << ann.status();
  ASSERT_TRUE((*ann)->Create("/ann", "hers", {.acl = {AclEntry::Auth(), AclEntry::World(Permission::kCreate)}}).ok());
  EXPECT_TRUE(IsNoAuth(nobody->Get("/ann").status()));
  EXPECT_TRUE(IsNoAuth(nobody->SetAcl("/ann", {AclEntry::World()}).status()));
  EXPECT_TRUE(nobody->Create("/ann/note", "").ok());
  const absl::StatusOr<AclResult> acl = (*ann)->GetAcl("/ann");
  ASSERT_TRUE(acl.ok());
  EXPECT_THAT(acl->acl, ElementsAre(AclEntry::Digest(PasswordDigest("ann", "secret")), AclEntry::World(Permission::kCreate)));
  EXPECT_THAT((*ann)->WhoAmI()->identities, ElementsAre(Identity{"ip", "127.0.0.1"}, Identity{"digest", "ann"}));

  Reader reader({core_.address()}, {{"digest", "ann:secret"}});
  EXPECT_EQ(reader.Get("/ann", seconds(10))->node.data, "hers");
  EXPECT_THAT(reader.WhoAmI(seconds(10))->identities, ElementsAre(Identity{"ip", "127.0.0.1"}, Identity{"digest", "ann"}));
  EXPECT_TRUE(IsNoAuth(Reader({core_.address()}).Get("/ann", seconds(10)).status()));

  ASSERT_TRUE((*ann)->SetAcl("/ann", {AclEntry::Ip("127.0.0.0/8", Permission::kRead), AclEntry::Auth()}, 0).ok());
  EXPECT_TRUE(nobody->Get("/ann").ok()) << "it is here";
  EXPECT_TRUE(IsBadVersion((*ann)->SetAcl("/ann", {AclEntry::World()}, 0).status()));
  const auto wrong = BlockingClient::Connect({.session = {.endpoints = {core_.address()}}, .auth = {{"digest", "nobody"}}});
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kUnauthenticated) << wrong.status();
}

TEST_F(BlockingClientTest, QuotasBoundSubtrees) {
  auto client = Connect();
  ASSERT_TRUE(client->Create("/a", "12345").ok());
  ASSERT_TRUE(client->SetQuota("/a", {.nodes_max = 2, .bytes_max = 10}).ok());
  ASSERT_TRUE(client->Create("/a/b", "12345").ok());
  const absl::Status full = client->Create("/a/c", "").status();
  EXPECT_EQ(RefusalOf(full), Code::kQuotaExceeded) << full;
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  const auto quotas = client->Quotas("/");
  ASSERT_TRUE(quotas.ok());
  ASSERT_EQ(quotas->size(), 2U);
  EXPECT_EQ((*quotas)[1].path, "/a");
  EXPECT_EQ((*quotas)[1].quota, (Quota{2, 10}));
  EXPECT_EQ((*quotas)[1].bytes, 10U);
  EXPECT_EQ(Reader({core_.address()}).Quotas("/a", seconds(10))->size(), 1U);
}

TEST_F(BlockingClientTest, AllSessionsAreToldWithWhatTheyOwn) {
  auto first = Connect();
  auto second = Connect();
  ASSERT_TRUE(second->Create("/own", "", {.ephemeral = true}).ok());
  const auto owner = second->Get("/own")->node.stat.ephemeral_owner;
  const auto sessions = first->Sessions();
  ASSERT_TRUE(sessions.ok()) << sessions.status();
  ASSERT_EQ(sessions->size(), 2U);
  EXPECT_EQ((*sessions)[0].ephemerals, 0U);
  EXPECT_EQ((*sessions)[1].id, owner);
  EXPECT_EQ((*sessions)[1].ephemerals, 1U);
  EXPECT_EQ((*sessions)[1].address, "127.0.0.1");
  EXPECT_GT((*sessions)[1].timeout, base::Duration::zero());
  EXPECT_EQ(Reader({core_.address()}).Sessions(seconds(10))->size(), 2U);
}

TEST_F(BlockingClientTest, ARootOfItsOwnIsAllThatASessionSees) {
  auto outside = Connect();
  ASSERT_TRUE(outside->Create("/app", "").ok());
  auto connected = BlockingClient::Connect({.session = {.endpoints = {core_.address()}, .chroot = "/app"}});
  ASSERT_TRUE(connected.ok()) << connected.status();
  BlockingClient& inside = **connected;
  std::vector<std::string> heard;
  std::thread watcher([&] {
    (void)inside.Watch(
        "/", {},
        [&](const Event& event) {
          heard.push_back(event.path);
          return heard.size() < 4;
        },
        nullptr);
  });
  // Until the watch stands nothing is to be heard.
  ASSERT_TRUE(Eventually([&] { return FetchNodeStatus(core_.address(), seconds(5))->watches == 1; }));
  EXPECT_EQ(inside.Create("/x", "1")->path, "/x");
  EXPECT_EQ(inside.Create("/", "", {.ephemeral = true, .sequential = true})->path, "/0000000001");
  EXPECT_EQ(inside.Commit({.compares = {Compare::Exists("/x")}, .then = {Operation::Create("/y", "2")}, .otherwise = {}})
                ->results[0]
                .path,
            "/y");
  EXPECT_TRUE(inside.Set("/", "root").ok());
  watcher.join();
  EXPECT_THAT(heard, ElementsAre("/x", "/0000000001", "/y", "/"));
  EXPECT_EQ(inside.Get("/x")->node.path, "/x");
  EXPECT_THAT(*inside.Children("/"), ElementsAre("0000000001", "x", "y"));
  const auto list = inside.List("/");
  ASSERT_EQ(list->size(), 4U);
  EXPECT_EQ((*list)[0].path, "/");
  EXPECT_EQ((*list)[3].path, "/y");
  ASSERT_EQ(inside.Ephemerals(SessionId())->size(), 1U);
  EXPECT_EQ(inside.Ephemerals(SessionId())->front().path, "/0000000001");
  EXPECT_EQ(inside.CountDescendants("/")->count, 3U);
  EXPECT_EQ(inside.Quotas("/")->front().path, "/");
  EXPECT_EQ(outside->Get("/app")->node.data, "root");
  EXPECT_TRUE(outside->Exists("/app/y")->stat.has_value());
  EXPECT_EQ(RefusalOf(inside.Get("x").status()), Code::kInvalidArgument) << "no path is none below a root either";
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

TEST_F(BlockingClientTest, ACallIsGivenUp) {
  std::atomic<bool> enough = false;
  BlockingOptions options{.session = {.endpoints = {core_.address()}}, .give_up = [&enough] { return enough.load(); }};
  auto client = BlockingClient::Connect(options);
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE((*client)->Create("/a", "").ok());
  core_.Stop();
  enough = true;
  EXPECT_EQ((*client)->Get("/a").status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(IsOutcomeUnknown((*client)->Set("/a", "x").status()));
  EXPECT_EQ(BlockingClient::Connect(options).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(BlockingClientTest, WithoutAServerItSaysSoInTime) {
  const std::string address = core_.address();
  auto client = Connect(milliseconds(300));
  core_.Stop();
  const auto nobody =
      BlockingClient::Connect({.session = {.endpoints = {address, "127.0.0.1:1"}}, .call_timeout = milliseconds(300)});
  EXPECT_EQ(nobody.status(), absl::UnavailableError(absl::StrCat(
                                 "no coordination node answered: ", address,
                                 ": cannot connect: Connection refused; 127.0.0.1:1: cannot connect: Connection refused")));
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
  const auto page = reader.List("/a", "/a/b", 2, /*with_data=*/false, seconds(10));
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->nodes.size(), 2U);
  EXPECT_EQ(page->nodes[0].path, "/a/n-0000000001");
  EXPECT_TRUE(page->more);
  EXPECT_EQ(reader.List("/a", "", 0, /*with_data=*/true, seconds(10))->nodes.at(1).data, "1");
  EXPECT_TRUE(IsNoNode(reader.List("/nothing", "", 0, /*with_data=*/true, seconds(10)).status()));
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
