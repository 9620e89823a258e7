// What tests of three simulated nodes share: the cluster, and clients of its nodes.
#ifndef DROVER_TESTS_COORD_SERVER_CLUSTER_FIXTURE_H_
#define DROVER_TESTS_COORD_SERVER_CLUSTER_FIXTURE_H_

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/coord/server/sim_cluster.h"
#include "tests/coord/server/sim_core.h"

namespace drover::coord::server {

class ClusterFixture : public ::testing::Test {
 protected:
  // The client's host is `host`; it is not connected yet.
  std::unique_ptr<SimClient> NewClient(const std::string& host, int node) {
    return std::make_unique<SimClient>(&cluster_.world, &cluster_.network, host, SimCluster::Client(node));
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
