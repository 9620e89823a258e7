#include "coord/process/metrics.h"

#include <dirent.h>
#include <prometheus/collectable.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

#include "coord/process/version.h"

namespace drover::process {
namespace {

prometheus::MetricFamily Family(const char* name, const char* help, prometheus::MetricType type, double value) {
  prometheus::MetricFamily family{name, help, type, {}};
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(metric);
  return family;
}

double Seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenFiles() {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  double count = -3;  // ".", ".." and the directory itself
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

// The names that Prometheus's own client libraries use for every process.
std::vector<prometheus::MetricFamily> ProcessMetrics(double started) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  using prometheus::MetricType;
  return {
      Family("process_start_time_seconds", "When the process started, seconds since 1970", MetricType::Gauge, started),
      Family("process_cpu_seconds_total", "User and system CPU time", MetricType::Counter,
             Seconds(usage.ru_utime) + Seconds(usage.ru_stime)),
      Family("process_resident_memory_bytes", "Resident memory", MetricType::Gauge, ResidentBytes()),
      Family("process_open_fds", "Open file descriptors", MetricType::Gauge, OpenFiles()),
  };
}

}  // namespace

class Metrics::Impl {
 public:
  prometheus::Registry registry;
  const double started = static_cast<double>(time(nullptr));
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  Gauge("drover_build_info", "Always 1; what runs is in the labels",
        {{"version", Version()}, {"commit", Commit()}, {"build_type", BuildType()}})
      .Set(1);
}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry).Add(labels);
}

void Metrics::Remove(const std::string& name, prometheus::Gauge* gauge) {
  prometheus::BuildGauge().Name(name).Register(impl_->registry).Remove(gauge);
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                                          const Labels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry).Add(labels, std::move(bounds));
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  for (auto& family : ProcessMetrics(impl_->started)) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

std::vector<double> LatencyBounds() {
  return {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

}  // namespace drover::process
