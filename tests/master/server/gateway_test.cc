#include "master/server/gateway.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/store/memory_store.h"
#include "coord/base/random.h"
#include "coord/transport/message_bytes.h"
#include "master/records/codec.h"
#include "tests/coord/transport/stream_fixture.h"
#include "tests/master/fake/fake_session.h"

namespace drover::master::server {
namespace {

const std::string kWatch = std::string("/") + kTaskServiceName + "/Watch";

// A master whose host was cut off: it took streams once, and nothing comes from it any more, not even their end.
class SilentMaster {
 public:
  // `taken` is called in the thread of its own, for each stream.
  explicit SilentMaster(std::function<void()> taken) : taken_(std::move(taken)) {
    thread_.RunOnLoop([this] {
      server_ = std::make_unique<transport::Server>(thread_.loop(), transport::ServerOptions());
      server_->RegisterServerStream(kWatch,
                                    [this](base::Bytes, std::unique_ptr<base::Connection> connection, const transport::CallInfo&) {
                                      streams_.push_back(std::make_unique<transport::Recorder>());
                                      streams_.back()->connection = std::move(connection);
                                      taken_();
                                      return streams_.back().get();
                                    });
      const absl::Status started = server_->Start();
      EXPECT_TRUE(started.ok()) << started;
      address_ = server_->address();
    });
  }
  ~SilentMaster() {
    thread_.RunOnLoop([this] {
      streams_.clear();
      server_ = nullptr;
    });
  }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  const std::function<void()> taken_;
  transport::LoopThread thread_;
  std::unique_ptr<transport::Server> server_;
  std::vector<std::unique_ptr<transport::Recorder>> streams_;
  std::string address_;
};

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() {
    Master::Hooks hooks;
    hooks.open_session = [this](const coord::SessionOptions&) { return std::make_unique<testing::FakeSession>(&tree_); };
    hooks.changed = [this] { gateway_->MastersChanged(); };
    hooks.session_replaced = [] {};
    MasterOptions options;
    options.pool = "p";
    options.id = "m1";
    options.address = "h:1";
    master_ = std::make_unique<Master>(&loop_, options, std::move(hooks));
    gateway_ = std::make_unique<Gateway>(&loop_, std::vector<PoolParts>{{"p", master_.get(), &store_}}, &random_);
    gateway_->Register(&server_);
    const absl::Status started = server_.Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  ~GatewayTest() override {
    gateway_.reset();
    master_.reset();
  }
  void Stand(const std::string& number, const std::string& address) {
    worker::v1::CandidateInfo info;
    info.set_address(address);
    info.set_id(address);
    tree_.Create(paths_.CandidatePrefix() + number, records::Encode(info));
  }

  int taken_ = 0;
  transport::CqLoop loop_;
  SilentMaster silent_{[this] { loop_.PostFromAnyThread([this] { ++taken_; }); }};
  transport::Server server_{&loop_, transport::ServerOptions()};
  testing::FakeTree tree_{&loop_};
  const records::PoolPaths paths_{"p"};
  store::MemoryObjects objects_;
  base::SeededRandom random_{1};
  std::unique_ptr<Master> master_;
  pool::PoolStore store_{&loop_, pool::PoolStoreOptions{.path = paths_.Store()},
                         [this](const std::string&, bool) { return std::make_unique<store::MemoryStore>(&loop_, &objects_); },
                         [this] { return master_->session(); }};
  std::unique_ptr<Gateway> gateway_;
  transport::UnaryClient client_{&loop_};
  transport::LoopDriver driver_;
};

TEST_F(GatewayTest, AStreamThatWasHandedOnEndsWhenItsMasterLeadsNoMore) {
  Stand("0000000000", silent_.address());
  task::v1::WatchRequest request;
  request.add_ids("a");
  std::unique_ptr<transport::ServerStreamCall> call;
  std::optional<absl::Status> ended;
  bool down = false;
  master_->Start();
  driver_.When([&] { return master_->ready() && master_->masters().size() == 2; },
               [&] {
                 transport::CallOptions options;
                 options.timeout = base::Duration(0);
                 call = client_.CallForStream(server_.address(), kWatch, transport::Encode(request), options);
                 call->Read([&](const auto& answer) { ended = answer.status(); });
               });
  driver_.When([&] { return taken_ == 1; }, [&] { Stand("0000000009", "another:1"); });
  driver_.When([&] { return master_->masters().size() == 3; },
               [&] {
                 EXPECT_FALSE(ended.has_value()) << "its master leads still";
                 tree_.Delete(paths_.CandidatePrefix() + "0000000000");
               });
  driver_.When([&] { return ended.has_value(); },
               [&] {
                 call = nullptr;
                 server_.Shutdown(base::Duration(0), [&] { down = true; });
               });
  driver_.When([&] { return down; });
  driver_.Run(&loop_, std::chrono::seconds(20));
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->code(), absl::StatusCode::kUnavailable) << *ended;
  EXPECT_NE(ended->message().find("another master was elected"), absl::string_view::npos) << *ended;
}

}  // namespace
}  // namespace drover::master::server
