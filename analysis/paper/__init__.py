"""The paper's tables and figures: plan, growth, measures, page."""
