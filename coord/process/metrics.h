// The process's metrics, served by HttpServer in Prometheus's text format. Names and labels are a promised surface:
// drover_<room>_..., base units (seconds, bytes), counters end in _total.
//
//   prometheus::Counter& fsyncs = metrics.Counter("drover_coord_fsyncs_total", "Completed log syncs");
//   fsyncs.Increment();
//
// Threads: any. A metric lives as long as the Metrics, or until it is removed; incrementing is an atomic operation. Keep the
// reference, do not look it up per operation.
#ifndef DROVER_COORD_PROCESS_METRICS_H_
#define DROVER_COORD_PROCESS_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::process {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  // Starts with drover_build_info and the process_* metrics (start time, CPU seconds, resident bytes, open files).
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The same name and labels again return the same metric. A name has one kind; another kind under it throws std::invalid_argument.
  prometheus::Counter& Counter(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // What it told of is no more: its series is on the page no longer, and the reference is void.
  void Remove(const std::string& name, prometheus::Gauge* gauge);
  // `bounds`: upper bounds of the buckets, rising.
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                                   const Labels& labels = {});

  // Everything, in the text exposition format 0.0.4.
  [[nodiscard]] std::string Text() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// Bounds for latencies, 50 us to 10 s.
std::vector<double> LatencyBounds();

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_METRICS_H_
