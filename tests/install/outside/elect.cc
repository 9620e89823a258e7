// elect COORD PATH: stands for election below a path, and says so once it leads.
#include <future>
#include <iostream>
#include <memory>

#include "drover/coord/blocking.h"
#include "drover/recipes/election.h"

namespace {

class Observer final : public drover::recipes::ElectionObserver {
 public:
  void OnElected(const drover::recipes::Leadership& mine) override { led_.set_value(mine.path); }
  void OnDeposed(const absl::Status& why) override { led_.set_value(std::string(why.message())); }
  std::string Wait() { return led_.get_future().get(); }

 private:
  std::promise<std::string> led_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  drover::coord::BlockingOptions options;
  options.session.endpoints = {argv[1]};
  auto client = drover::coord::BlockingClient::Connect(options);
  if (!client.ok()) return std::cerr << client.status() << "\n", 1;
  Observer observer;
  std::unique_ptr<drover::recipes::Election> election;
  (*client)->OnLoop([&](drover::coord::Session& session) {
    election =
        std::make_unique<drover::recipes::Election>(&session, drover::recipes::ElectionOptions{argv[2], "outside"}, &observer);
    election->Stand();
  });
  std::cout << "leads as " << observer.Wait() << "\n";
  (*client)->OnLoop([&](drover::coord::Session&) { election = nullptr; });
  return 0;
}
