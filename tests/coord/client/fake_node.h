// A scripted coordination node: it accepts streams, notes their frames, and says what the test tells it to. It reads and writes
// with generated protobuf, so that it does not share the client's own coding.
#ifndef DROVER_TESTS_COORD_CLIENT_FAKE_NODE_H_
#define DROVER_TESTS_COORD_CLIENT_FAKE_NODE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/connection.h"
#include "drover/coord/v1/coord.pb.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"

namespace drover::coord {

class FakeNode {
 public:
  struct Stream final : base::ConnectionEvents {
    FakeNode* node = nullptr;
    std::unique_ptr<base::Connection> connection;
    std::vector<v1::ClientFrame> frames;
    std::vector<base::Instant> arrived;   // of each frame, by the node's clock
    std::vector<v1::Request> requests;    // of all frames
    std::vector<std::uint64_t> contacts;  // nonces
    bool open = true;
    std::optional<base::CloseCause> closed;

    void OnFrame(base::Bytes bytes) override {
      v1::ClientFrame frame;
      frame.ParseFromArray(bytes.view().data(), static_cast<int>(bytes.size()));
      arrived.push_back(node->loop_->Now());
      for (const v1::Request& request : frame.requests()) requests.push_back(request);
      const bool first = frames.empty();
      frames.push_back(frame);
      if (first && node->grants) node->Grant(this);
      if (!frame.has_contact()) return;
      contacts.push_back(frame.contact().nonce());
      if (node->acknowledges) {
        v1::ServerFrame ack;
        ack.mutable_contact()->set_nonce(frame.contact().nonce());
        ack.mutable_contact()->set_time_ms(1'000'000);
        Send(ack);
      }
    }
    void OnClosed(base::CloseCause cause, const absl::Status& /*status*/) override {
      open = false;
      closed = cause;
    }
    void Send(const v1::ServerFrame& frame) { connection->Send(base::Bytes::Adopt(frame.SerializeAsString())); }
    void End(const absl::Status& status) {
      connection->Close(status);
      open = false;
    }
    // One answer in a frame of its own.
    void Answer(const v1::Answer& answer) {
      v1::ServerFrame frame;
      *frame.add_items()->mutable_answer() = answer;
      Send(frame);
    }
    void AnswerWrite(std::uint64_t number, std::uint64_t zxid, v1::Code code = v1::OK) {
      v1::Answer answer;
      answer.set_number(number);
      answer.set_zxid(zxid);
      answer.set_code(code);
      Answer(answer);
    }
    void AnswerId(std::uint64_t answered, std::uint64_t zxid, v1::Code code = v1::OK) {
      v1::Answer answer;
      answer.set_id(answered);
      answer.set_zxid(zxid);
      answer.set_code(code);
      Answer(answer);
    }
  };

  FakeNode(sim::SimWorld* world, sim::SimNetwork* network, std::string name, std::uint64_t node_id)
      : host(std::move(name)), id(node_id), world_(world), network_(network) {
    Start();
  }

  void Start() {
    loop_ = std::make_unique<sim::SimLoop>(world_);
    network_->Listen(loop_.get(), address(), [this](std::unique_ptr<base::Connection> connection) {
      auto stream = std::make_unique<Stream>();
      stream->node = this;
      stream->connection = std::move(connection);
      streams.push_back(std::move(stream));
      return streams.back().get();
    });
  }
  // kill -9.
  void Kill() {
    network_->Kill(host);
    for (auto& stream : streams) {
      stream->connection.reset();
      stream->open = false;
    }
    loop_->Stop();
  }

  void Grant(Stream* stream) {
    v1::ServerFrame frame;
    const v1::ClientFrame& first = stream->frames.front();
    v1::Grant& grant = *frame.mutable_grant();
    grant.set_session_id(first.has_resume() ? first.resume().session_id() : 7);
    grant.set_secret(first.has_resume() ? first.resume().secret() : "0123456789abcdef");
    grant.set_timeout_ms(6000);
    grant.set_last_write(last_write);
    grant.set_node_id(id);
    grant.set_cluster_id(99);
    frame.set_credits(credits);
    stream->Send(frame);
  }

  [[nodiscard]] std::string address() const { return host + ":7400"; }
  // The newest stream.
  [[nodiscard]] Stream* stream() { return streams.empty() ? nullptr : streams.back().get(); }
  // Streams whose first frame has come.
  [[nodiscard]] std::size_t attaches() const {
    std::size_t n = 0;
    for (const auto& stream : streams) n += stream->frames.empty() ? 0 : 1;
    return n;
  }

  const std::string host;
  const std::uint64_t id;
  bool grants = true;
  bool acknowledges = true;
  std::uint64_t credits = 1000;
  std::uint64_t last_write = 0;
  std::vector<std::unique_ptr<Stream>> streams;

 private:
  sim::SimWorld* const world_;
  sim::SimNetwork* const network_;
  std::unique_ptr<sim::SimLoop> loop_;
};

}  // namespace drover::coord

#endif  // DROVER_TESTS_COORD_CLIENT_FAKE_NODE_H_
