// A coordination node and its clients in simulation: real node, simulated loop, disk and network.
#ifndef DROVER_TESTS_COORD_SERVER_SIM_CORE_H_
#define DROVER_TESTS_COORD_SERVER_SIM_CORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/random.h"
#include "coord/server/node.h"
#include "drover/coord/v1/coord.pb.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::coord::server {

// One node process on one disk: started, crashed, started again.
class SimCore {
 public:
  static constexpr char kHost[] = "core";
  static constexpr char kAddress[] = "core:1";

  explicit SimCore(std::uint64_t seed = 1) : world(seed), network(&world), files(seed + 1), seed_(seed) {
    options.id = base::NodeId(1);
    options.address = kAddress;
    options.data_directory = "/data";
    options.log.segment_bytes = 64 << 10;
  }
  ~SimCore() { Destroy(); }

  // Starts the process, which must work.
  void Start();
  absl::Status TryStart();
  // kill -9 (kEverything) or power loss of the machine, which is up again at once; Start comes next.
  void Crash(sim::Survival survival);
  [[nodiscard]] bool running() const { return node != nullptr; }

  sim::SimWorld world;
  sim::SimNetwork network;
  sim::SimFileSystem files;
  NodeOptions options;  // of the next Start

  std::unique_ptr<sim::SimLoop> loop;
  std::unique_ptr<sim::SimExecutor> disk, snapshots;
  std::unique_ptr<base::SeededRandom> random;
  std::unique_ptr<Node> node;
  absl::Status fatal;  // what on_fatal was told

 private:
  void Destroy();

  const std::uint64_t seed_;
  std::uint64_t boots_ = 0;
};

// A client's end of streams of one session. Speaks when told to; keeps what it hears.
class SimClient final : public base::ConnectionEvents {
 public:
  SimClient(SimCore* core, std::string host) : SimClient(&core->world, &core->network, std::move(host), SimCore::kAddress) {}
  // `node`: the address that Dial dials; it may be changed.
  SimClient(sim::SimWorld* world, sim::SimNetwork* network, std::string host, std::string node);
  ~SimClient();

  // A new stream. The session's numbers and secret are kept from one stream to the next.
  void Dial();
  void Open(std::uint32_t timeout_ms = 0, std::uint32_t grace_ms = 0);
  void Resume();
  // Dials, opens and waits for the grant.
  void Connect(std::uint32_t timeout_ms = 0, std::uint32_t grace_ms = 0);
  // Dials and resumes, and waits for the grant.
  void Reconnect();
  void Send(const v1::ClientFrame& frame);
  void Contact();
  // Contacts from now on at this interval.
  void KeepContact(base::Duration interval);
  void StopContact() { contact_timer_.Cancel(); }

  // Requests are gathered by these and sent by Flush; numbers and ids are assigned and returned.
  std::uint64_t Create(const std::string& path, const std::string& data = "", bool ephemeral = false, bool sequential = false);
  std::uint64_t Set(const std::string& path, const std::string& data);
  std::uint64_t CloseSession();
  std::uint64_t Get(const std::string& path, bool local = false);
  std::uint64_t Watch(const std::string& path, std::optional<v1::Position> after = std::nullopt);
  v1::Request* NewWrite();
  v1::Request* NewRead();
  // `seen`: answers up to this may be forgotten.
  void Flush(std::uint64_t seen = 0);
  // Sends writes numbered from `first` again, as they were.
  void Resend(std::uint64_t first);

  [[nodiscard]] const v1::Answer* Written(std::uint64_t number) const;
  [[nodiscard]] const v1::Answer* Read(std::uint64_t id) const;
  // Runs the world until there is the answer.
  const v1::Answer& AwaitWrite(std::uint64_t number);
  // As a client does whose node cannot tell what became of the write, since the leader changed: it resumes and asks again.
  const v1::Answer& AwaitWriteResuming(std::uint64_t number);
  // Creates it and fails the test unless that is acknowledged.
  void CreateNow(const std::string& path, const std::string& data);
  const v1::Answer& AwaitRead(std::uint64_t id);
  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = std::chrono::seconds(10));

  // ConnectionEvents
  void OnFrame(base::Bytes frame) override;
  void OnClosed(base::CloseCause cause, const absl::Status& status) override;

  std::optional<v1::Grant> grant;  // of the stream; id and secret of the session otherwise stay below
  std::uint64_t session = 0;
  std::string secret;
  std::uint64_t seen_zxid = 0;
  std::uint64_t credits = 0;
  std::uint64_t acked_nonce = 0;
  std::int64_t acked_time = 0;
  std::uint64_t bookmark = 0;
  std::vector<v1::Event> events;
  std::map<std::uint64_t, v1::Answer> write_answers;
  std::map<std::uint64_t, v1::Answer> read_answers;
  std::vector<std::string> order;  // "w3", "r2", "e5.0": as heard
  std::size_t frames = 0;
  bool told_to_move = false;
  bool closed = false;
  base::CloseCause cause{};
  absl::Status status;
  std::unique_ptr<base::Connection> connection;
  std::unique_ptr<sim::SimLoop> loop;
  std::string node;

 private:
  sim::SimWorld* const world_;
  const std::string host_;
  std::unique_ptr<base::Dialer> dialer_;
  base::Timer contact_timer_;
  v1::ClientFrame next_;
  std::map<std::uint64_t, v1::Request> writes_;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_nonce_ = 0;
  std::uint64_t attaches_ = 0;
};

}  // namespace drover::coord::server

#endif  // DROVER_TESTS_COORD_SERVER_SIM_CORE_H_
