// Small words that the end-to-end tests share.
#ifndef DROVER_TESTS_E2E_E2E_H_
#define DROVER_TESTS_E2E_E2E_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/await.h"
#include "tests/support/cluster.h"

namespace drover::testing {

inline std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Programs take several times longer here than users have to wait.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// The coordination core without masters and workers.
inline ClusterOptions CoreAlone(int coords = 3) {
  ClusterOptions options;
  options.coords = coords;
  options.masters = 0;
  options.workers = 0;
  return options;
}

inline std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

inline std::map<std::string, int> CountStates(const nlohmann::json& tasks) {
  std::map<std::string, int> states;
  for (const nlohmann::json& task : tasks) ++states[task.at("state").get<std::string>()];
  return states;
}

// Lets a fault last: the length of an outage is what such a test is about, not a wait for something to happen.
inline void Last(std::chrono::milliseconds length) {
  std::this_thread::sleep_for(length);
}

// What the tree says of the pool adds up, within a minute of the test's end.
inline void ExpectPoolIsWell(Cluster& cluster) {
  const CommandResult check = cluster.Drover({"check", "--objects", "--wait", "60s"});
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
}

}  // namespace drover::testing

#endif  // DROVER_TESTS_E2E_E2E_H_
