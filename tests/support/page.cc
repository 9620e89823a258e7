#include "tests/support/page.h"

#include <cctype>
#include <sstream>

namespace drover::testing {
namespace {

std::string Trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells;
  bool quoted = false;
  std::string cell;
  for (const char c : row.substr(1)) {
    if (c == '`') quoted = !quoted;
    if (c == '|' && !quoted) {
      cells.push_back(Trimmed(cell));
      cell.clear();
    } else {
      cell += c;
    }
  }
  return cells;
}

}  // namespace

std::string Section::anchor() const {
  std::string anchor = "#";
  for (const char c : title) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

std::vector<Section> SectionsOf(const std::string& page) {
  std::vector<Section> sections(1);
  std::vector<std::string>* fence = nullptr;  // where the block goes that is open
  std::vector<std::string> other;             // blocks of other kinds
  std::istringstream in(page);
  for (std::string line; std::getline(in, line);) {
    Section& section = sections.back();
    if (line.rfind("```", 0) == 0) {
      if (fence != nullptr) {
        fence = nullptr;
        continue;
      }
      fence = line == "```sh" ? &section.shell : line == "```text" ? &section.texts : &other;
      fence->emplace_back();
    } else if (fence != nullptr) {
      fence->back() += line + "\n";
    } else if (line.rfind('#', 0) == 0) {
      sections.emplace_back().title = Trimmed(line.substr(line.find_first_not_of('#')));
    } else if (line.rfind('|', 0) == 0 && line.rfind("|--", 0) != 0) {
      section.tables.push_back(Cells(line));
    }
  }
  return sections;
}

std::vector<std::string> ShellBlocks(const std::string& page) {
  std::vector<std::string> blocks;
  for (const Section& section : SectionsOf(page)) blocks.insert(blocks.end(), section.shell.begin(), section.shell.end());
  return blocks;
}

std::vector<std::string> Quoted(const std::string& text) {
  std::vector<std::string> quoted;
  std::size_t begin = 0;
  while ((begin = text.find('`', begin)) != std::string::npos) {
    const std::size_t end = text.find('`', begin + 1);
    if (end == std::string::npos) break;
    quoted.push_back(text.substr(begin + 1, end - begin - 1));
    begin = end + 1;
  }
  return quoted;
}

}  // namespace drover::testing
