"""From files and pages to articles, passages and the two stores."""
