// What tests of three simulated nodes share: the cluster, and clients of its nodes.
#ifndef DROVER_TESTS_COORD_SERVER_CLUSTER_FIXTURE_H_
#define DROVER_TESTS_COORD_SERVER_CLUSTER_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "coord/base/check.h"
#include "gtest/gtest.h"
#include "tests/coord/server/sim_cluster.h"
#include "tests/coord/server/sim_core.h"

namespace drover::coord::server {

class ClusterFixture : public ::testing::Test {
 protected:
  // Starts all that are down; who leads then. Without a leader there is nothing to test.
  int Begin() {
    cluster_.StartAll();
    const int leader = cluster_.AwaitLeader();
    DROVER_CHECK(leader != 0) << "nobody leads";
    return leader;
  }
  // The client's host is `host`; it is not connected yet.
  std::unique_ptr<SimClient> NewClient(const std::string& host, int node) {
    return std::make_unique<SimClient>(&cluster_.world, &cluster_.network, host, SimCluster::Client(node));
  }
  // The same with a session.
  std::unique_ptr<SimClient> Connect(const std::string& host, int node, std::uint32_t timeout_ms = 0, std::uint32_t grace_ms = 0) {
    auto client = NewClient(host, node);
    client->Connect(timeout_ms, grace_ms);
    return client;
  }
  // The next node, and the one that is neither.
  static int Other(int node) { return node % 3 + 1; }
  static int Third(int a, int b) { return 6 - a - b; }

  // Another node than `node` leads, whatever `node` itself believes; its id, or 0.
  int AwaitLeaderBut(int node, base::Duration limit = std::chrono::seconds(20)) {
    const auto another = [&] { return cluster_.Leader() != 0 && cluster_.Leader() != node; };
    return cluster_.world.RunUntil(another, limit) ? cluster_.Leader() : 0;
  }

  SimCluster cluster_{3};
};

}  // namespace drover::coord::server

#endif  // DROVER_TESTS_COORD_SERVER_CLUSTER_FIXTURE_H_
