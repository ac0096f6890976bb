{
    'name': "Credit Management: Stock",
    'version': '19.0.1.4.0',
    'category': 'Accounting/Accounting',
    'summary': "Counts what is still to be delivered by its stock moves",
    'description': """
Credit Management: Stock
========================

Installs itself where Credit Management, Sales and Inventory meet. What an order
line still owes is then read from its stock moves: a remainder closed without
backorder counts no more, and an extra quantity added to a delivery counts.
""",
    'author': "Credit Suite Team",
    'license': 'LGPL-3',
    'depends': ['credit_management', 'sale_stock'],
    'demo': [
        'demo/sale_order_demo.xml',
    ],
    'auto_install': True,
}
