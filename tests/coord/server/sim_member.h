// The process of one member in simulation: a real MemberProcess on a loop, a disk's thread and a dialer of its own.
//
// Header only, since the simulator has its own copy of the node (tests/sim/run). One thread.
#ifndef DROVER_TESTS_COORD_SERVER_SIM_MEMBER_H_
#define DROVER_TESTS_COORD_SERVER_SIM_MEMBER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "coord/base/random.h"
#include "coord/base/status.h"
#include "coord/server/member_process.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::coord::server {

struct SimMember {
  // Where it runs: clients reach it at `client_address`, the other members at `options.address`, both on `host`.
  struct Place {
    sim::SimWorld* world;
    sim::SimNetwork* network;
    sim::SimFileSystem* files;
    std::string host;
    std::string client_address;
    sim::SimLoop::Options clock{};
  };

  ~SimMember() { End(); }

  // `seams`: the observer and the callbacks; the rest is filled in. `seed`: of this process. If it fails there is no process.
  absl::Status Open(const Place& place, std::uint64_t seed, NodeSeams seams, NodeOptions options, const InitialMembers& initial) {
    loop = std::make_unique<sim::SimLoop>(place.world, place.clock);
    disk = std::make_unique<sim::SimExecutor>(loop.get());
    snapshots = std::make_unique<sim::SimExecutor>(loop.get());
    dialer = place.network->NewDialer(loop.get(), place.host);
    random = std::make_unique<base::SeededRandom>(seed);
    seams.loop = loop.get();
    seams.dialer = dialer.get();
    seams.disk = disk.get();
    seams.snapshots = snapshots.get();
    seams.files = place.files;
    seams.random = random.get();
    const std::string peer_address = options.address;
    absl::StatusOr<std::unique_ptr<MemberProcess>> opened = MemberProcess::Open(seams, std::move(options), initial);
    if (!opened.ok()) {
      End();
      return opened.status();
    }
    process = *std::move(opened);
    place.network->Listen(loop.get(), place.client_address,
                          [this](std::unique_ptr<base::Connection> c) { return process->Accept(std::move(c)); });
    place.network->Listen(loop.get(), peer_address,
                          [this](std::unique_ptr<base::Connection> c) { return process->AcceptPeer(std::move(c)); });
    return absl::OkStatus();
  }
  // It is gone from one moment to the next; what others see of that is the network's to say (Kill, PowerOff).
  void End() {
    if (loop) loop->Stop();
    process.reset();
    disk.reset();
    snapshots.reset();
    dialer.reset();
    loop.reset();
  }
  [[nodiscard]] Node* node() const { return process == nullptr ? nullptr : process->node(); }

  std::unique_ptr<sim::SimLoop> loop;
  std::unique_ptr<sim::SimExecutor> disk, snapshots;
  std::unique_ptr<base::Dialer> dialer;
  std::unique_ptr<base::SeededRandom> random;
  std::unique_ptr<MemberProcess> process;  // null: down
};

}  // namespace drover::coord::server

#endif  // DROVER_TESTS_COORD_SERVER_SIM_MEMBER_H_
