#include "client/cli/output.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"

namespace drover::cli {
namespace {

constexpr std::uint64_t kExactMax = std::uint64_t{1} << 53;

// Columns, so many terminal cells as it has characters: UTF-8 continuation bytes do not count.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// A cell is one line, whatever was submitted as a name.
std::string OneLine(absl::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

std::string Padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, Width(text)), ' ');
}

std::string Row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = OneLine(cells[i]);
    absl::StrAppend(&row, i == 0 ? "" : "  ", i + 1 == cells.size() ? cell : Padded(cell, widths[i]));
  }
  row.erase(row.find_last_not_of(' ') + 1);
  return row;
}

}  // namespace

Json ExactNumber(std::uint64_t value) {
  if (value <= kExactMax) return value;
  return absl::StrCat(value);
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Output::List(const std::vector<std::string>& header, const std::vector<Item>& items) {
  switch (format_) {
    case Format::kJson: {
      Json array = Json::array();
      for (const Item& item : items) array.push_back(item.json);
      *out_ << Dump(array) << "\n";
      break;
    }
    case Format::kJsonl:
      for (const Item& item : items) *out_ << Dump(item.json) << "\n";
      break;
    case Format::kId:
      for (const Item& item : items) *out_ << item.id << "\n";
      break;
    case Format::kTable: {
      std::vector<std::size_t> widths;
      for (std::size_t i = 0; i < header.size(); ++i) {
        widths.push_back(Width(header[i]));
        for (const Item& item : items) widths[i] = std::max(widths[i], Width(item.cells[i]));
      }
      *out_ << Row(header, widths) << "\n";
      for (const Item& item : items) *out_ << Row(item.cells, widths) << "\n";
      break;
    }
  }
  out_->flush();
}

void Output::One(const std::vector<std::string>& names, const Item& item) {
  if (json()) {
    *out_ << Dump(item.json) << "\n";
  } else if (format_ == Format::kId) {
    *out_ << item.id << "\n";
  } else {
    std::size_t width = 0;
    for (const std::string& name : names) width = std::max(width, Width(name));
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!item.cells[i].empty()) *out_ << Row({names[i], item.cells[i]}, {width, 0}) << "\n";
    }
  }
  out_->flush();
}

void Output::Line(const std::string& text, const Item& item) {
  if (json()) {
    *out_ << Dump(item.json) << "\n";
  } else if (format_ == Format::kId) {
    *out_ << item.id << "\n";
  } else {
    *out_ << OneLine(text) << "\n";
  }
  out_->flush();
}

void Output::Raw(absl::string_view data) {
  out_->write(data.data(), static_cast<std::streamsize>(data.size()));
  out_->flush();
}

int Output::Fail(const absl::Status& status) {
  return Fail(ExitCodeOf(status), status);
}

int Output::Fail(int code, const absl::Status& status) {
  std::string message = OneLine(status.message());
  if (message.empty()) message = absl::StatusCodeToString(status.code());
  if (json()) {
    *err_ << Dump(Json{{"error", {{"code", absl::StatusCodeToString(status.code())}, {"message", message}}}}) << std::endl;
  } else {
    *err_ << "drover: " << message << std::endl;
  }
  return code;
}

void Output::Aside(absl::string_view text) {
  *err_ << text << std::flush;
}

void Output::Note(absl::string_view text) {
  if (!json()) *err_ << "drover: " << OneLine(text) << std::endl;
}

}  // namespace drover::cli
