"""Pure functions from data to Plotly figures; they know numpy and plotly alone."""
