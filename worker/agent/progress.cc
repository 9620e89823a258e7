#include "worker/agent/progress.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "master/records/codec.h"
#include "master/records/record_limits.h"

namespace drover::worker::agent {

bool ReadProgress(absl::string_view line, task::v1::Progress* progress) {
  line = absl::StripAsciiWhitespace(line);
  if (line.empty()) return false;
  progress->Clear();
  const absl::string_view word = line.substr(0, line.find_first_of(" \t"));
  absl::string_view digits = absl::StripSuffix(word, "%");
  double percent = 0;
  const bool number =
      digits.find_first_not_of("0123456789.") == absl::string_view::npos && absl::SimpleAtod(digits, &percent) && percent <= 100;
  if (number) {
    progress->set_percent(percent);
    line = absl::StripLeadingAsciiWhitespace(line.substr(word.size()));
  }
  progress->set_text(records::Clip(line, records::kProgressTextBytesMax));
  return true;
}

}  // namespace drover::worker::agent
