// The round trip of one session operation, one at a time: client loop -> stream -> node -> (log, fdatasync) -> stream -> client
// loop. Starts a drover-coord of the same build on a free loopback port, in a directory below TMPDIR. Usage: session [OPERATIONS]
#include "drover/coord/session.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "tests/support/cluster.h"

namespace drover::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Measure {
  const char* name;
  std::function<void(coord::Session&, std::function<void()>)> operation;
};

void Report(const char* name, std::vector<double>& micros) {
  std::sort(micros.begin(), micros.end());
  std::printf("%-22s p50 %7.1f us   p99 %7.1f us   (%zu operations, one at a time)\n", name, micros[micros.size() / 2],
              micros[micros.size() * 99 / 100], micros.size());
  std::fflush(stdout);
}

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

int Main(std::size_t operations) {
  ClusterOptions options;
  options.masters = 0;
  options.workers = 0;
  Cluster cluster(options);

  transport::CqLoop loop;
  transport::GrpcDialer dialer(&loop, "/drover.coord.v1.Coordination/Session");
  std::unique_ptr<coord::Session> session =
      coord::Session::Open(&loop, &dialer, {.endpoints = {cluster.coord_address()}, .name = "bench"});

  const std::string value(100, 'x');
  const std::vector<Measure> measures = {
      {"get, local",
       [](coord::Session& s, std::function<void()> done) {
         s.Get("/bench",
               [done](absl::StatusOr<coord::GetResult> r) {
                 Check(r.status());
                 done();
               },
               {.local = true});
       }},
      {"get, linearizable",
       [](coord::Session& s, std::function<void()> done) {
         s.Get("/bench", [done](absl::StatusOr<coord::GetResult> r) {
           Check(r.status());
           done();
         });
       }},
      {"set, 100 bytes, synced",
       [&value](coord::Session& s, std::function<void()> done) {
         s.Set("/bench", value, std::nullopt, [done](absl::StatusOr<coord::SetResult> r) {
           Check(r.status());
           done();
         });
       }},
  };
  std::size_t measure = 0;
  std::vector<double> micros;
  Clock::time_point asked;
  std::function<void()> next = [&] {
    asked = Clock::now();
    measures[measure].operation(*session, [&] {
      micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - asked).count());
      if (micros.size() == operations) {
        Report(measures[measure].name, micros);
        micros.clear();
        if (++measure == measures.size()) {
          loop.Stop();
          return;
        }
      }
      next();
    });
  };
  session->Create("/bench", value, {}, [&](absl::StatusOr<coord::CreateResult> made) {
    Check(made.status());
    next();
  });
  loop.Run();
  session.reset();
  return 0;
}

}  // namespace
}  // namespace drover::testing

int main(int argc, char** argv) {
  return drover::testing::Main(argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : 20'000);
}
